"""The mean of the nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.segments import present_nodes, segment_sum


class MeanReadout(nn.Module):
    """``sum_i x_i / sum_i p_i`` with the presence p.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, channels)."""
        total = present_nodes(x, batch, num_graphs, presence).unsqueeze(1)
        return segment_sum(x, batch, num_graphs) / torch.where(total > 0, total, 1)
