"""Tiny graphs, for contract suites that run graph networks."""

from __future__ import annotations

import torch

from gnn_space.graph_batch import GraphBatch, graph_batch
from nas_core.task import TaskShape

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
