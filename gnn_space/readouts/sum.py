"""The sum of the nodes."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.segments import segment_sum


class SumReadout(nn.Module):
    """``sum_i x_i``, where x has been multiplied by presence.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, channels)."""
        return segment_sum(x, batch, num_graphs)
