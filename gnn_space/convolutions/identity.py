"""No convolution at all."""

from __future__ import annotations

from torch import Tensor, nn


class IdentityConvolution(nn.Module):
    """x as it is.

    Args:
        in_channels: channels of x.
        out_channels: the same number.

    Raises:
        ValueError: the numbers of channels differ.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        if in_channels != out_channels:
            raise ValueError(f"the identity cannot make {out_channels} channels of {in_channels}; give equal numbers")

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return x."""
        return x
