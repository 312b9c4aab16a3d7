"""A loaded graph with labeled nodes, its official parts and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gnn_space.data.graph_set import GraphSet
from gnn_space.data.statistics import require_features
from nas_core.data import data_set

GRAPH = "graph"
"""The name of the file of the whole graph, which has no labels."""
GRAPH_TENSORS = ("x", "edge_index")
NODE_TENSORS = ("nodes", "labels")


@dataclass(frozen=True, eq=False)
class NodeSet:
    """Nodes of one graph with one class label each.

    Attributes:
        nodes: their numbers, int64, `(num_examples,)`, each once.
        labels: int64, `(num_examples,)`, classes counted from 0.

    Raises:
        ValueError: a shape, dtype or value is not as above; there must be at least one node.
    """

    nodes: NDArray[np.int64]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name, array in (("nodes", self.nodes), ("labels", self.labels)):
            if not isinstance(array, np.ndarray) or array.dtype != np.int64 or array.ndim != 1:
                raise ValueError(f"{name} are no numpy array of int64 (num_examples,); give one")
        if len(self.nodes) != len(self.labels) or not len(self.nodes):
            raise ValueError(f"{len(self.nodes)} nodes have {len(self.labels)} labels; give one or more, a label each")
        if min(self.nodes.min(), self.labels.min()) < 0 or len(np.unique(self.nodes)) < len(self.nodes):
            raise ValueError("a node or a label is negative, or a node is there twice; give each node once")

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.nodes)

    @property
    def groups(self) -> None:
        """Return None: nodes are not grouped."""
        return None

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """What is written, by name."""
        return {"nodes": self.nodes, "labels": self.labels}

    def take(self, indices: NDArray[np.int64]) -> NodeSet:
        """Return the nodes at `indices` `(num_taken,)`, in that order."""
        return NodeSet(self.nodes[indices], self.labels[indices])

    def require_classes(self, num_classes: int) -> None:
        """Raise ValueError if a label is not below `num_classes`."""
        if self.labels.max() >= num_classes:
            raise ValueError(f"labels hold {self.labels.max()}, allowed are 0 to {num_classes - 1}")


@dataclass(frozen=True, eq=False)
class NodeData:
    """A published graph whose nodes are classified, its features and edges known while training (transductive).

    Attributes:
        name: what the set is called, such as "Cora".
        class_names: the name of each class, by label.
        x: features of all nodes, float32, `(num_nodes, num_features)`, as networks take them.
        edge_index: int64, `(2, num_edges)`, both directions.
        train: the nodes to learn from.
        validation: the nodes by which networks are chosen.
        test: the test nodes.
        license: the terms the graph is published under.
        source: where it comes from, usually a URL.
        citation: what to cite.
        shifted: further test nodes of other distributions, by the name of the shift.

    Raises:
        ValueError: the graph is none, a node is not in it or in two parts, a label has no name, or a text is empty.
    """

    name: str
    class_names: tuple[str, ...]
    x: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    train: NodeSet
    validation: NodeSet
    test: NodeSet
    license: str
    source: str
    citation: str
    shifted: Mapping[str, NodeSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data_set.check(self)
        whole_graph(self.x, self.edge_index)
        nodes = np.concatenate([part.nodes for part in (self.train, self.validation, self.test)])
        if nodes.max() >= len(self.x) or len(np.unique(nodes)) < len(nodes):
            raise ValueError(
                f"parts of {self.name} share a node, or have one of {len(self.x)} or above; part them anew"
            )

    @property
    def learning_task(self) -> str:
        """Return the name of the task that learns from nodes."""
        return "gnn_space.learning_tasks.node_classification"

    @property
    def shared(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return the graph, which has no labels."""
        return {GRAPH: {"x": self.x, "edge_index": self.edge_index}}

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Return `(num_node_features,)`."""
        return (self.x.shape[1],)

    @property
    def companion_settings(self) -> Mapping[str, Any]:
        """Return nothing: no graph is made to fit another."""
        return {}

    def like(self, shape: tuple[int, ...]) -> NodeData:
        """Return the set itself, if its nodes have as many features.

        Raises:
            ValueError: they have not.
        """
        remedy = "choose a graph with equally many, or another split of the same graph, `split: random`"
        require_features(self.name, self.x.shape[1], shape, remedy)
        return self

    def description(self, train: NodeSet) -> Mapping[str, Any]:
        """Return the size of the graph; its features are taken as they are (mean 0, deviation 1)."""
        num_features = self.x.shape[1]
        return {
            "num_node_features": num_features,
            "num_nodes": len(self.x),
            "num_edges": self.edge_index.shape[1],
            "feature_mean": [0.0] * num_features,
            "feature_std": [1.0] * num_features,
        }


def whole_graph(x: NDArray[np.float32], edge_index: NDArray[np.int64]) -> GraphSet:
    """Return one graph as a set without a meaningful label.

    Raises:
        ValueError: features or edges are not those of a graph.
    """
    counts = (len(x), edge_index.shape[1], 0)
    sizes, num_edges, labels = (np.array([count], dtype=np.int64) for count in counts)
    return GraphSet(x, edge_index, sizes, num_edges, labels)
