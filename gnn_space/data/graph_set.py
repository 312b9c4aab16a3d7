"""Labeled graphs as the loaders give them: flat arrays, the graphs one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_space.data import ranges

TENSOR_NAMES = ("x", "edge_index", "sizes", "num_edges", "labels")


@dataclass(frozen=True, eq=False)
class GraphSet:
    """Graphs with one class label each.

    Attributes:
        x: features of all nodes, float32, `(num_nodes, num_features)`.
        edge_index: edges as (source, target), int64, `(2, num_edges)`, numbered through all nodes, the edges of a graph
            side by side in the order of the graphs; an edge without direction is listed in both.
        sizes: nodes of each graph, int64, `(num_graphs,)`, at least 1.
        num_edges: edges of each graph, int64, `(num_graphs,)`.
        labels: int64, `(num_graphs,)`, classes counted from 0.

    Raises:
        ValueError: a shape, dtype or value is not as above; there must be a graph, a feature, and no NaN or infinity.
    """

    x: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    sizes: NDArray[np.int64]
    num_edges: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        _require("x", self.x, np.float32, "(num_nodes, num_features)", 2)
        _require("edge_index", self.edge_index, np.int64, "(2, num_edges)", 2)
        for name in ("sizes", "num_edges", "labels"):
            _require(name, getattr(self, name), np.int64, "(num_graphs,)", 1)
        counts = {name: len(getattr(self, name)) for name in ("sizes", "num_edges", "labels")}
        if len(set(counts.values())) > 1 or not len(self.labels):
            raise ValueError(f"graphs are {counts}; give one or more graphs, each with a size, edges and a label")
        if self.sizes.min() < 1 or self.num_edges.min() < 0 or self.labels.min() < 0:
            raise ValueError("a graph has no node, or a negative number; give sizes >= 1, num_edges and labels >= 0")
        if self.sizes.sum() != len(self.x) or self.x.shape[1] < 1 or not np.isfinite(self.x).all():
            raise ValueError(
                f"x is {self.x.shape} for graphs of {self.sizes.sum()} nodes; give finite features, one or more a node"
            )
        if self.edge_index.shape != (2, self.num_edges.sum()):
            raise ValueError(f"edge_index is {self.edge_index.shape} for {self.num_edges.sum()} edges; give (2, edges)")
        begin = np.repeat(ranges.starts(self.sizes), self.num_edges)
        end = np.repeat(np.cumsum(self.sizes), self.num_edges)
        if ((self.edge_index < begin) | (self.edge_index >= end)).any():
            raise ValueError("an edge leaves its graph; number nodes through the whole set, edges graph after graph")

    def __len__(self) -> int:
        """Return the number of graphs."""
        return len(self.labels)

    @property
    def num_node_features(self) -> int:
        """Number of features of a node."""
        num_features: int = self.x.shape[1]
        return num_features

    @property
    def groups(self) -> None:
        """Return None: each graph has an origin of its own."""
        return None

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """What is written, by name."""
        return {name: getattr(self, name) for name in TENSOR_NAMES}

    def take(self, indices: NDArray[np.int64]) -> GraphSet:
        """Return the graphs at `indices` `(num_taken,)`, in that order, as copies."""
        sizes, num_edges = self.sizes[indices], self.num_edges[indices]
        node_begin = ranges.starts(self.sizes)[indices]
        edges = ranges.positions(ranges.starts(self.num_edges)[indices], num_edges)
        moved = np.repeat(ranges.starts(sizes) - node_begin, num_edges)
        return GraphSet(
            self.x[ranges.positions(node_begin, sizes)],
            self.edge_index[:, edges] + moved,
            sizes,
            num_edges,
            self.labels[indices],
        )

    def require_classes(self, num_classes: int) -> None:
        """Raise ValueError if a label is not below `num_classes`."""
        if self.labels.max() >= num_classes:
            raise ValueError(f"labels hold {self.labels.max()}, allowed are 0 to {num_classes - 1}")


def joined(
    features: Sequence[NDArray[np.float32]], edges: Sequence[NDArray[np.int64]], labels: Sequence[int]
) -> GraphSet:
    """Return a set of single graphs.

    Args:
        features: of each graph `(num_nodes, num_features)`.
        edges: of each graph `(2, num_edges)`, its nodes numbered from 0.
        labels: of each graph.
    """
    sizes = np.array([len(x) for x in features], dtype=np.int64)
    num_edges = np.array([edge_index.shape[1] for edge_index in edges], dtype=np.int64)
    edge_index = np.concatenate(edges, axis=1).astype(np.int64) + np.repeat(ranges.starts(sizes), num_edges)
    return GraphSet(
        np.concatenate(features).astype(np.float32), edge_index, sizes, num_edges, np.array(labels, dtype=np.int64)
    )


def _require(name: str, array: NDArray[Any], dtype: type, shape: str, num_dimensions: int) -> None:
    """Raise ValueError unless `array` is a numpy array of `dtype` with `num_dimensions` dimensions."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != num_dimensions:
        received = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} is {received}; give a numpy array of {np.dtype(dtype).name} {shape}")
