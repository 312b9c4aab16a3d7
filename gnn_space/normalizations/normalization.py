"""What a normalization is."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Normalization(Protocol):
    """An `nn.Module` that normalizes the features of nodes; a node of presence 0 changes no other node."""

    def __call__(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_nodes, channels).

        Args:
            x: features (num_nodes, channels).
            batch: graph of each node (num_nodes,), rising.
            num_graphs: number of graphs.
            presence: for each node (num_nodes,) in 0..1 how much of it is there; None is 1 for each.
        """
