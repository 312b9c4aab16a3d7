"""Normalization within each graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.normalizations.none import NoNormalization
from gnn_space.segments import present_nodes, segment_sum

EPSILON = 1e-5


class GraphNormalization(nn.Module):
    """``(x - a mean) / sqrt(mean((x - a mean)^2) + 1e-5) * scale + shift`` over the nodes of each graph, a trained.

    Cai et al. 2021, arXiv:2009.03294. Follows the paper; means are weighted by the presence of the nodes.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(channels))
        self.shift = nn.Parameter(torch.empty(channels))
        self.mean_scale = nn.Parameter(torch.empty(channels))

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_nodes, channels)."""
        there = 1 if presence is None else presence.unsqueeze(1)
        total = present_nodes(x, batch, num_graphs, presence)
        total = torch.where(total > 0, total, 1).unsqueeze(1)
        mean = segment_sum(there * x, batch, num_graphs) / total
        centered = x - mean.index_select(0, batch) * self.mean_scale
        variance = segment_sum(there * centered.square(), batch, num_graphs) / total
        deviation = (variance + EPSILON).sqrt().index_select(0, batch)
        return centered / deviation * self.scale + self.shift

    def unnormalized(self) -> nn.Module:
        """Return what takes this module's place where a signal is followed through the weights alone."""
        return NoNormalization(len(self.scale))
