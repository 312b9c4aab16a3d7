"""No normalization at all."""

from __future__ import annotations

from torch import Tensor, nn


class NoNormalization(nn.Module):
    """x as it is.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return x."""
        return x
