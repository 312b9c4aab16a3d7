"""Collections of graphs: small ones written here, and where NAS_DATA_ROOT is set, published ones."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gnn_space.sets import tu_dataset

FILES = {
    "A": "1, 2\n2, 1\n2, 3\n2, 3\n3, 3\n5, 6\n6, 5\n",
    "graph_indicator": "1\n1\n1\n2\n3\n3\n",
    "graph_labels": "1\n-1\n1\n",
    "node_labels": "4\n2\n4\n2\n2\n3\n",
    "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n4.5, 5\n5.5, 6\n",
}
COUNTS = {"ENZYMES": 600, "PROTEINS": 1113, "NCI1": 4110, "MUTAG": 188, "IMDB-BINARY": 1000}


def write(root: Path, **changes: str | None) -> Path:
    folder = root / "TUDataset" / "TINY" / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in {**FILES, **changes}.items():
        (folder / f"TINY_{name}.txt").unlink(missing_ok=True)
        if content is not None:
            (folder / f"TINY_{name}.txt").write_text(content)
    return root


def loaded(root: Path, **settings: Any) -> Any:
    return tu_dataset.load(root, download=False, collection="TINY", **settings)


def test_the_text_files_are_read(tmp_path: Path) -> None:
    data = loaded(write(tmp_path))
    graphs = data.train
    assert graphs.sizes.tolist() == [3, 1, 2]
    assert graphs.num_edges.tolist() == [4, 0, 2]
    # the repeated edge and the loop are dropped, the missing direction is there
    assert graphs.edge_index.T.tolist() == [[0, 1], [1, 0], [1, 2], [2, 1], [4, 5], [5, 4]]
    assert graphs.labels.tolist() == [1, 0, 1]
    assert graphs.x[:2].tolist() == [[0.5, 1, 0, 0, 1], [1.5, 2, 1, 0, 0]]
    assert data.feature_names == ("attribute 0", "attribute 1", "label 0", "label 1", "label 2")
    assert (data.test, data.validation, data.shifted) == (None, None, {})
    statistics = data.description(graphs)
    assert statistics["feature_mean"] == pytest.approx([3.0, 3.5, 0, 0, 0])
    assert not list(tmp_path.rglob("*.pt"))


def test_node_features_are_chosen(tmp_path: Path) -> None:
    root = write(tmp_path)
    assert loaded(root, node_features="labels").train.x.shape == (6, 3)
    assert loaded(root, node_features="attributes").train.x.shape == (6, 2)
    assert loaded(root, node_features="constant").train.x.tolist() == [[1]] * 6
    degrees = loaded(root, node_features="degree", max_degree=1).train.x
    assert degrees.tolist() == [[0, 1], [0, 1], [0, 1], [1, 0], [0, 1], [0, 1]]
    bare = write(tmp_path, node_labels=None, node_attributes=None)
    assert loaded(bare, max_degree=2).train.x.argmax(1).tolist() == [1, 2, 1, 0, 1, 1]
    with pytest.raises(ValueError, match="has no labels of nodes"):
        loaded(bare, node_features="labels")


@pytest.mark.parametrize(
    "changes",
    [
        {"A": "1, 2\n2, 1\n2, 4\n4, 2\n"},
        {"A": "1, x\n"},
        {"A": "1, 99\n"},
        {"graph_indicator": "1\n1\n2\n1\n3\n3\n"},
        {"graph_indicator": "1\n1\n1\n3\n3\n3\n"},
        {"graph_labels": "1\n1\n"},
        {"node_labels": "4\n2\n"},
        {"node_attributes": "0.5\n"},
        {"graph_indicator": ""},
    ],
)
@pytest.mark.filterwarnings("ignore:loadtxt:UserWarning")
def test_a_damaged_collection_is_one_line(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(ValueError) as caught:
        loaded(write(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_an_absent_file_and_an_absent_collection_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"TINY_graph_labels\.txt is absent"):
        loaded(write(tmp_path, graph_labels=None))
    with pytest.raises(FileNotFoundError) as caught:
        loaded(tmp_path / "nowhere")
    folder = tmp_path / "nowhere" / "TUDataset" / "TINY"
    assert str(caught.value).endswith(f"or get {tu_dataset.ADDRESS}/TINY.zip elsewhere and put it into {folder}")
    with pytest.raises(ValueError, match="collection is"):
        tu_dataset.load(tmp_path, download=False, collection="../TINY")


def test_an_archive_beside_the_folder_is_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "TUDataset" / "TINY"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "TINY.zip", "w") as archive:
        for name, content in FILES.items():
            archive.writestr(f"TINY/TINY_{name}.txt", content)
    assert len(loaded(tmp_path).train) == 3
    assert sorted(path.name for path in folder.iterdir()) == ["TINY.zip", "raw"]


def test_the_largest_graphs_of_each_class_are_held_out(tmp_path: Path) -> None:
    root = os.environ.get("NAS_DATA_ROOT")
    if root is None:
        pytest.skip("NAS_DATA_ROOT is not set; it names a folder with the published data sets")
    whole = tu_dataset.load(Path(root), download=False, collection="MUTAG")
    data = tu_dataset.load(Path(root), download=False, collection="MUTAG", hold_out_largest=0.2)
    large, small = data.shifted["size"], data.train
    assert len(large) + len(small) == len(whole.train)
    for label in range(2):
        sizes = [part.sizes[part.labels == label] for part in (small, large)]
        assert len(sizes[1]) == int(0.2 * (len(sizes[0]) + len(sizes[1])))
        assert sizes[0].max() <= sizes[1].min()
    assert sorted([*small.sizes, *large.sizes]) == sorted(whole.train.sizes)
    alone = tu_dataset.load(Path(root), download=False, collection="MUTAG", only_largest=0.2).train
    assert np.array_equal(alone.x, large.x)
    with pytest.raises(ValueError, match="give one of them"):
        tu_dataset.load(Path(root), download=False, collection="MUTAG", only_largest=0.2, hold_out_largest=0.2)


@pytest.mark.parametrize("collection", COUNTS)
def test_published_collections_are_what_torch_geometric_makes_of_them(collection: str, tmp_path: Path) -> None:
    root = os.environ.get("NAS_DATA_ROOT")
    if root is None:
        pytest.skip("NAS_DATA_ROOT is not set; it names a folder with the published data sets")
    from torch_geometric.datasets import TUDataset

    graphs = tu_dataset.load(Path(root), download=False, collection=collection).train
    (tmp_path / collection).mkdir()
    (tmp_path / collection / "raw").symlink_to(Path(root).resolve() / "TUDataset" / collection / "raw")
    oracle = TUDataset(str(tmp_path), collection, use_node_attr=True)
    assert len(graphs) == len(oracle) == COUNTS[collection]
    for index in np.linspace(0, len(oracle) - 1, 60).astype(int):
        expected, one = oracle[int(index)], graphs.take(np.array([index]))
        assert one.labels.tolist() == expected.y.tolist()
        assert len(one.x) == expected.num_nodes
        assert np.array_equal(one.edge_index, expected.edge_index.numpy())
        if expected.x is None:
            assert np.array_equal(one.x.argmax(1), np.bincount(one.edge_index[1], minlength=len(one.x)).clip(max=32))
        else:
            assert np.allclose(one.x, expected.x.numpy())


def test_plug_ins_of_graphs_are_named_without_heavy_libraries() -> None:
    names = ("sets.motif", "sets.tu_dataset", "sets.planetoid", "learning_tasks.graph_classification")
    modules = [f"gnn_space.{name}" for name in (*names, "learning_tasks.node_classification")]
    program = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n"
        "print([name for name in ('torch', 'torch_geometric', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
