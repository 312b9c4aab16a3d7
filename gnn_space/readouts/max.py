"""The maximum of the nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.segments import segment_max


class MaxReadout(nn.Module):
    """``max_i x_i`` of each channel over the nodes whose presence is above 0.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, channels)."""
        if presence is not None:
            x = x.masked_fill(presence.unsqueeze(1) == 0, -torch.inf)
        largest = segment_max(x, batch, num_graphs)
        return torch.where(largest == -torch.inf, 0, largest)
