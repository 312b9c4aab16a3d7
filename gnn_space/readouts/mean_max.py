"""The maximum and the mean of the nodes side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.readouts.max import MaxReadout
from gnn_space.readouts.mean import MeanReadout


class MeanMaxReadout(nn.Module):
    """``[max_i x_i | mean_i x_i]``, in the order of HGP-SL (Zhang et al. 2019, arXiv:1911.05954).

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.parts = nn.ModuleList([MaxReadout(channels), MeanReadout(channels)])

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, 2 channels)."""
        return torch.cat([part(x, batch, num_graphs, presence) for part in self.parts], dim=1)
