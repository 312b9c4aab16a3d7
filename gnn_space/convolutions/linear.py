"""A linear map of each node by itself."""

from __future__ import annotations

from torch import Tensor, nn


class LinearConvolution(nn.Module):
    """``W x_i + b``: the edges change nothing.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        outputs: Tensor = self.linear(x)
        return outputs
