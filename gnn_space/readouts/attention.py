"""A mean of the nodes under attention."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.segments import attended_mean


class AttentionReadout(nn.Module):
    """``sum_i a_i x_i`` with a the softmax of ``w x_i + b`` over the nodes of each graph, times presence.

    Li et al. 2016, arXiv:1511.05493, and 2019, arXiv:1904.12787. Differs from the papers: the values are the features
    themselves, as in PyG's AttentionalAggregation without a network for them.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = nn.Linear(channels, 1)

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, channels)."""
        return attended_mean(x, self.gate(x).squeeze(1), batch, num_graphs, presence)

    def uncounted_flops(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> int:
        """Return 2 num_nodes channels: the weighted sum."""
        return 2 * x.numel()
