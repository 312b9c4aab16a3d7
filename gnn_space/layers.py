"""What the layers of a block are: the contracts of convolutions and readouts, which know graphs with weighted edges."""

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


class Readout(Protocol):
    """An `nn.Module` that makes one vector of the nodes of each graph; of a graph without nodes, a vector of zeros."""

    def __call__(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, out_channels).

        Args:
            x: features (num_nodes, channels), each times the presence of its node.
            batch: graph of each node (num_nodes,), rising.
            num_graphs: number of graphs.
            presence: for each node (num_nodes,) in 0..1 how much of it is there, which a mixture of poolings makes
                fractional; None is 1 for each. A node of presence 0 changes nothing.
        """
