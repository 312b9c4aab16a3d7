"""What a convolution is."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Convolution(Protocol):
    """An `nn.Module` that makes new features of each node out of its own and those of its neighbors.

    Every convolution knows edge weights, since learnt edges have them: an edge of weight 0 is no edge, one of weight 1
    is a plain one, and the outputs are continuous in between. It is equivariant under permutations of the nodes.
    """

    def __call__(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return features (num_nodes, out_channels) for x (num_nodes, in_channels) and edges (2, num_edges)."""
