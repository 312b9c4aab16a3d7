"""What a pooling gives: the nodes that it kept, their features, and the weighted edges among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gnn_space.graph_batch import GraphBatch


@dataclass(frozen=True, eq=False)
class Pooled:
    """A pooled batch and where its nodes come from.

    Every pooling keeps a subset of the nodes: one that clusters nodes keeps one of each cluster to stand for it.

    Attributes:
        graphs: the kept nodes with their new features, and the weighted edges among them in the new numbering; no nodes
            are asked for, since those may be gone.
        kept: (num_kept,) int64, for each node of `graphs` its number before the pooling; rising within each graph.
    """

    graphs: GraphBatch
    kept: Tensor


class Pooling(Protocol):
    """An `nn.Module` that takes a batch of graphs to a smaller one; of every graph with nodes at least one stays."""

    def __call__(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""


def kept_sizes(sizes: Tensor, ratio: float) -> Tensor:
    """Return how many nodes of each graph are kept: ``ceil(ratio * n)``, at least one of a graph that has any.

    Args:
        sizes: nodes of each graph (num_graphs,) int64, on the CPU.
        ratio: in (0, 1].
    """
    # rounded first: 0.7 * 10 is 7 and not the 7.000000000000001 of floating point
    wanted = torch.ceil(torch.round(ratio * sizes.double(), decimals=9)).long()
    return torch.minimum(wanted.clamp(min=1), sizes)
