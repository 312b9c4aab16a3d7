"""The maximum, the mean and the sum of the nodes side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.readouts.max import MaxReadout
from gnn_space.readouts.mean import MeanReadout
from gnn_space.readouts.sum import SumReadout


class MeanMaxSumReadout(nn.Module):
    """``[max_i x_i | mean_i x_i | sum_i x_i]``.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList([MaxReadout(channels), MeanReadout(channels), SumReadout(channels)])

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, 3 channels)."""
        return torch.cat([part(x, batch, num_graphs, presence) for part in self.parts], dim=1)
