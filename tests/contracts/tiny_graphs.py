"""Tiny graphs, for contract suites that run graph networks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gnn_space.graph_batch import GraphBatch, graph_batch
from nas_core.task import TaskShape

if TYPE_CHECKING:
    from nas_core.task import Shift

GRAPHS = TaskShape(inputs=(5,), outputs=(3,))
"""Graphs in three classes, whose nodes have five features."""

NODES = TaskShape(inputs=(5,), outputs=(3,))
"""Nodes with five features in three classes."""


def node_batch(num_targets: int = 4) -> GraphBatch:
    """Return a ring of ten nodes with a chord, of which the first ones are asked for."""
    ring = torch.arange(10)
    source, target = torch.cat([ring, ring[:1]]), torch.cat([(ring + 1) % 10, ring[5:6]])
    edges = torch.stack([torch.cat([source, target]), torch.cat([target, source])])
    x = torch.randn(10, *NODES.inputs, generator=torch.Generator().manual_seed(0))
    return graph_batch(x, edges, torch.tensor([10]), target_nodes=ring[:num_targets])


def batch_of_graphs() -> GraphBatch:
    """Return a triangle with a tail, two nodes without an edge, a single node, and a path of five."""
    sizes = torch.tensor([4, 2, 1, 5])
    one_way = torch.tensor([[0, 1, 2, 2, 7, 8, 9, 10], [1, 2, 0, 3, 8, 9, 10, 11]])
    x = torch.randn(12, *GRAPHS.inputs, generator=torch.Generator().manual_seed(0))
    return graph_batch(x, torch.cat([one_way, one_way.flip(0)], dim=1), sizes)


class GraphsTask:
    """Rings, stars and paths of several sizes, with noise as features, to be told apart by their structure."""

    name = "tiny graphs"
    metric = "accuracy"
    shape = GRAPHS
    device = torch.device("cpu")

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        self._splits = {
            split: [_graph(kind, 3 + number % 4, generator) for number in range(count) for kind in range(3)]
            for split, count in (("train", 11), ("validation", 6))
        }

    def num_examples(self, split: str) -> int:
        return len(self._split(split))

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[GraphBatch, Tensor]]:
        graphs = self._split(split)[: math.ceil(fraction * self.num_examples(split))]
        order = torch.arange(len(graphs)) if generator is None else torch.randperm(len(graphs), generator=generator)
        for index in order.split(batch_size):
            taken = [graphs[number] for number in index.tolist()]
            starts = [sum(len(x) for x, _, _ in taken[:place]) for place in range(len(taken))]
            edges = [edge_index + start for (_, edge_index, _), start in zip(taken, starts, strict=True)]
            sizes = torch.tensor([len(x) for x, _, _ in taken])
            inputs = graph_batch(torch.cat([x for x, _, _ in taken]), torch.cat(edges, dim=1), sizes)
            yield inputs, torch.tensor([kind for _, _, kind in taken])

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(outputs, targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> Mapping[str, float]:
        return {"accuracy": (outputs.argmax(1) == targets).double().mean().item()}

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        return {}

    def _split(self, split: str) -> list[tuple[Tensor, Tensor, int]]:
        if split not in self._splits:
            raise ValueError(f"no split {split!r}; there are {', '.join(self._splits)}")
        return self._splits[split]


class NodesTask:
    """Some nodes of one graph, to be told apart by their features; a batch is the whole graph."""

    name = "tiny nodes"
    metric = "accuracy"
    shape = NODES
    device = torch.device("cpu")
    _targets: Mapping[str, Tensor] = {"train": torch.arange(6), "validation": torch.arange(6, 10)}

    def num_examples(self, split: str) -> int:
        if split not in self._targets:
            raise ValueError(f"no split {split!r}; there are {', '.join(self._targets)}")
        return len(self._targets[split])

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[GraphBatch, Tensor]]:
        nodes = self._targets[split][: math.ceil(fraction * self.num_examples(split))]
        graph = node_batch()
        yield replace(graph, target_nodes=nodes), graph.x[nodes, :3].argmax(dim=1)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(outputs, targets)

    def metrics(self, outputs: Tensor, targets: Tensor) -> Mapping[str, float]:
        return {"accuracy": (outputs.argmax(1) == targets).double().mean().item()}

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        return {}


def _graph(kind: int, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor, int]:
    """Return features, edges and the class of a ring (0), a star (1) or a path (2)."""
    nodes = torch.arange(size)
    ends = {0: (nodes, (nodes + 1) % size), 1: (0 * nodes[1:], nodes[1:]), 2: (nodes[:-1], nodes[1:])}[kind]
    edges = torch.stack([torch.cat(ends), torch.cat(ends[::-1])])
    return torch.randn(size, *GRAPHS.inputs, generator=generator), edges, kind
