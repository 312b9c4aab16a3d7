"""Read the files in which Planetoid publishes a graph with labeled nodes, without letting their pickles run code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data import restricted_pickle

PARTS = ("x", "tx", "allx", "y", "ty", "ally", "graph", "test.index")
REMEDY = "delete the files and fetch them from their publisher again"
UNLABELED = -1


@dataclass(frozen=True, eq=False)
class PlanetoidFiles:
    """What the files hold.

    Attributes:
        x: features of the nodes as published, float32, `(num_nodes, num_features)`.
        edge_index: int64, `(2, num_edges)`, both directions, each edge once, no loops, sorted by source.
        labels: int64, `(num_nodes,)`, -1 for nodes without a label.
        num_train: the first nodes are the training nodes of the public split, the 500 after them those for validation.
        test_nodes: the test nodes of the public split, int64, `(num_test,)`.
    """

    x: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    labels: NDArray[np.int64]
    num_train: int
    test_nodes: NDArray[np.int64]


def read(paths: Mapping[str, Path]) -> PlanetoidFiles:
    """Return what the files at `paths`, one for each of `PARTS`, hold.

    `allx` and `ally` are of the first nodes, `tx` and `ty` of the test nodes in the order of `test.index`; y has a
    column a class. CiteSeer has nodes beside them that have no edge: they get features of zeros, as Kipf & Welling
    (2017, arXiv:1609.02907) do, and no label. Source of the format: Yang, Cohen and Salakhutdinov 2016,
    arXiv:1603.08861. Repeated edges and loops are dropped.

    Raises:
        ValueError: a file is damaged or does not go with the others; one line.
    """
    arrays = {name: _matrix(paths[name]) for name in ("tx", "allx", "y", "ty", "ally")}
    test_nodes = _test_nodes(paths["test.index"])
    try:
        return _assembled(arrays, _edges(paths["graph"]), test_nodes)
    except (ValueError, IndexError, MemoryError) as error:
        raise ValueError(f"the files beside {paths['graph']} do not go together ({error}); {REMEDY}") from error


def _assembled(
    arrays: Mapping[str, NDArray[np.float32]], pairs: NDArray[np.int64], test_nodes: NDArray[np.int64]
) -> PlanetoidFiles:
    num_first, num_features = arrays["allx"].shape
    num_nodes = max(num_first, int(test_nodes.max()) + 1)
    if num_nodes > num_first + 2 * len(test_nodes) or test_nodes.min() < num_first:
        raise ValueError(f"test nodes {test_nodes.min()} to {test_nodes.max()} after {num_first} others")
    if pairs.min(initial=0) < 0 or pairs.max(initial=0) >= num_nodes:
        raise ValueError(f"edges between nodes up to {pairs.max()}, of which there are {num_nodes}")
    x = np.zeros((num_nodes, num_features), dtype=np.float32)
    x[:num_first], x[test_nodes] = arrays["allx"], arrays["tx"]
    classes = np.zeros((num_nodes, arrays["ally"].shape[1]), dtype=np.float32)
    classes[:num_first], classes[test_nodes] = arrays["ally"], arrays["ty"]
    labels = np.where(classes.any(axis=1), classes.argmax(axis=1), UNLABELED)
    joining = pairs[:, pairs[0] != pairs[1]]
    keys = np.unique(np.concatenate([joining[0] * num_nodes + joining[1], joining[1] * num_nodes + joining[0]]))
    return PlanetoidFiles(
        x, np.stack([keys // num_nodes, keys % num_nodes]), labels.astype(np.int64), len(arrays["y"]), test_nodes
    )


def _matrix(path: Path) -> NDArray[np.float32]:
    array = restricted_pickle.read_array(path)
    if array.ndim != 2 or 0 in array.shape or array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{path} holds an array of {array.dtype} {array.shape}, not a matrix of numbers; {REMEDY}")
    return array.astype(np.float32)


def _edges(path: Path) -> NDArray[np.int64]:
    """Return the pairs `(2, num_pairs)` of a pickled dict from each node to a list of its neighbors."""
    neighbors: Any = restricted_pickle.read_value(path)
    if not isinstance(neighbors, dict) or not all(
        type(node) is int and isinstance(others, list) and all(type(other) is int for other in others)
        for node, others in neighbors.items()
    ):
        raise ValueError(f"{path} holds no dict from nodes to lists of nodes; {REMEDY}")
    pairs = [(node, other) for node, others in neighbors.items() for other in others]
    try:
        return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    except OverflowError:
        raise ValueError(f"{path} holds numbers that are no nodes; {REMEDY}") from None


def _test_nodes(path: Path) -> NDArray[np.int64]:
    try:
        nodes = np.array([int(line) for line in path.read_text(encoding="ascii").split()], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{path} holds something else than numbers of nodes ({error}); {REMEDY}") from error
    if not len(nodes) or len(np.unique(nodes)) < len(nodes):
        raise ValueError(f"{path} holds no nodes, or one twice; {REMEDY}")
    return nodes
