"""Citation networks: small files in the published format and, where NAS_DATA_ROOT is set, published ones."""

from __future__ import annotations

import os
import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from gnn_space.data import planetoid_files
from gnn_space.data.planetoid_files import UNLABELED
from gnn_space.sets import planetoid

NUM_FIRST, TEST_NODES = 530, [533, 530, 534]
"""Nodes 0 to 529 come first; 531 and 532 have no edge and no label, as in CiteSeer."""


def features(num_nodes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, (num_nodes, 4)).astype(np.float32)


def one_hot(labels: np.ndarray) -> np.ndarray:
    return np.eye(3, dtype=np.int32)[labels]


def write(root: Path, **changes: Any) -> Path:
    folder = root / "Planetoid" / "CiteSeer" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    first = np.arange(NUM_FIRST) % 3
    neighbors: defaultdict[int, list[int]] = defaultdict(list)
    neighbors.update({node: [node - 1, node + 1] for node in range(1, 529)})
    neighbors.update({0: [1, 1, 0], 529: [528, 533], 533: [529], 530: [534], 534: [530], 531: [], 532: []})
    parts = {
        "x": csr_matrix(features(9, 0)),
        "allx": csr_matrix(features(NUM_FIRST, 0)),
        "tx": csr_matrix(features(3, 1)),
        "y": one_hot(first[:9]),
        "ally": one_hot(first),
        "ty": one_hot(np.array([2, 0, 1])),
        "graph": neighbors,
        **changes,
    }
    for name, value in parts.items():
        (folder / f"ind.citeseer.{name}").write_bytes(pickle.dumps(value, protocol=2))
    index = changes.get("index", "".join(f"{node}\n" for node in TEST_NODES))
    (folder / "ind.citeseer.test.index").write_text(index)
    return root


def loaded(root: Path, **settings: Any) -> Any:
    return planetoid.load(root, download=False, collection="CiteSeer", **settings)


def test_the_files_are_put_together(tmp_path: Path) -> None:
    data = loaded(write(tmp_path), row_normalized=False)
    assert data.x.shape == (535, 4)
    assert np.array_equal(data.x[:NUM_FIRST], features(NUM_FIRST, 0))
    assert np.array_equal(data.x[TEST_NODES], features(3, 1))
    assert not data.x[[531, 532]].any()
    assert data.train.nodes.tolist() == list(range(9))
    assert data.validation.nodes.tolist() == list(range(9, 509))
    assert data.test.nodes.tolist() == [530, 533, 534]
    assert data.test.labels.tolist() == [0, 2, 1]
    pairs = {tuple(pair) for pair in data.edge_index.T.tolist()}
    assert len(pairs) == data.edge_index.shape[1] == 2 * (529 + 2)
    assert (0, 0) not in pairs
    assert {(529, 533), (533, 529), (530, 534), (0, 1)} <= pairs
    sums = loaded(tmp_path).x.sum(axis=1)
    assert set(np.round(sums, 5).tolist()) <= {0.0, 1.0}


def test_a_random_split_has_the_numbers_asked_for_and_only_labeled_nodes(tmp_path: Path) -> None:
    settings = {"split": "random", "train_per_class": 5, "num_validation": 100, "num_test": 418}
    data = loaded(write(tmp_path), **settings)
    assert np.bincount(data.train.labels).tolist() == [5, 5, 5]
    # all 533 labeled nodes are in one of the parts
    nodes = np.concatenate([data.train.nodes, data.validation.nodes, data.test.nodes])
    assert sorted(nodes.tolist()) == [*range(NUM_FIRST), 530, 533, 534]
    assert loaded(tmp_path, **settings).test.nodes.tolist() == data.test.nodes.tolist()
    assert loaded(tmp_path, **settings, seed=1).test.nodes.tolist() != data.test.nodes.tolist()
    for change, reason in (({"num_test": 419}, "518 nodes are left"), ({"train_per_class": 180}, "lower it")):
        with pytest.raises(ValueError, match=reason):
            loaded(tmp_path, **{**settings, **change})


class Call:
    """An object whose pickle calls a function."""

    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return os.system, ("true",)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"graph": {0: Call()}}, "asks for posix.system, which is refused"),
        ({"graph": defaultdict(dict, {0: {}})}, "refused"),
        ({"graph": {0: [1.5]}}, "no dict from nodes to lists"),
        ({"graph": {0: [99999]}}, "do not go together"),
        ({"graph": {0: [2**70]}}, "no nodes"),
        ({"graph": [1]}, "no dict from nodes"),
        ({"allx": {}}, "it holds a dict"),
        ({"ally": np.eye(2)}, "do not go together"),
        ({"tx": csr_matrix(features(2, 0))}, "do not go together"),
        ({"index": "530\n530\n"}, "one twice"),
        ({"index": "530\nx\n"}, "something else than numbers"),
        ({"index": "530\n533\n99999\n"}, "do not go together"),
        ({"tx": np.full((3, 4), np.nan)}, "not a matrix of numbers"),
    ],
)
def test_what_is_damaged_or_malicious_is_one_line(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        loaded(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_an_absent_file_names_its_address(tmp_path: Path) -> None:
    folder = tmp_path / "Planetoid/CiteSeer/raw"
    with pytest.raises(FileNotFoundError) as caught:
        loaded(tmp_path)
    assert str(caught.value).endswith(f"or get {planetoid.ADDRESS}/ind.citeseer.x elsewhere and put it into {folder}")


@pytest.mark.parametrize(
    ("collection", "num_nodes", "num_edges"), [("Cora", 2708, 2 * 5278), ("CiteSeer", 3327, 2 * 4552)]
)
def test_published_graphs_are_what_torch_geometric_makes_of_them(
    collection: Any, num_nodes: int, num_edges: int
) -> None:
    root = os.environ.get("NAS_DATA_ROOT")
    if root is None:
        pytest.skip("NAS_DATA_ROOT is not set; it names a folder with the published data sets")
    import warnings

    import torch
    from torch_geometric.io import read_planetoid_data

    folder = Path(root) / "Planetoid" / collection / "raw"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = read_planetoid_data(str(folder), collection)
    data = planetoid.load(Path(root), download=False, collection=collection, row_normalized=False)
    assert data.x.shape[0] == num_nodes
    assert data.edge_index.shape[1] == num_edges
    assert np.array_equal(data.x, oracle.x.numpy())
    expected = oracle.edge_index.numpy()
    assert np.array_equal(data.edge_index, expected[:, np.lexsort((expected[1], expected[0]))])
    for part, mask in (("train", oracle.train_mask), ("validation", oracle.val_mask), ("test", oracle.test_mask)):
        nodes = getattr(data, part)
        assert nodes.nodes.tolist() == torch.where(mask)[0].tolist()
        assert nodes.labels.tolist() == oracle.y[mask].tolist()
    files = planetoid_files.read({part: folder / f"ind.{collection.lower()}.{part}" for part in planetoid_files.PARTS})
    assert (files.labels == UNLABELED).sum() == {"Cora": 0, "CiteSeer": 15}[collection]
