"""What a readout is."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


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
