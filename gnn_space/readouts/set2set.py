"""Set2Set: a memory that looks at the nodes several times."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.segments import attended_mean

NUM_STEPS = 3


class Set2SetReadout(nn.Module):
    """``[q_T | r_T]``: ``q_t = LSTM([q_{t-1} | r_{t-1}])``, ``r_t = sum_i a_i x_i``, a the softmax of ``x_i q_t``.

    Vinyals, Bengio and Kudlur 2016, arXiv:1511.06391. Follows the paper with T = 3; attention is times presence, and
    the vector of a graph without nodes is set to zeros.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.memory = nn.LSTMCell(2 * channels, channels)

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_graphs, 2 channels)."""
        query = state = read = x.new_zeros(num_graphs, x.shape[1])
        for _ in range(NUM_STEPS):
            query, state = self.memory(torch.cat([query, read], dim=1), (query, state))
            scores = (x * query.index_select(0, batch)).sum(dim=1)
            read = attended_mean(x, scores, batch, num_graphs, presence)
        there = x.new_ones(x.shape[0]) if presence is None else (presence > 0).to(x.dtype)
        occupied = there.new_zeros(num_graphs).index_add(0, batch, there) > 0
        return torch.cat([query, read], dim=1) * occupied.unsqueeze(1)

    def uncounted_flops(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> int:
        """Return 4 T num_nodes channels: a score and a weighted sum in each of T steps."""
        return 4 * NUM_STEPS * x.numel()
