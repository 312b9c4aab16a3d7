"""Auto-regressive moving average filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import ones_if_none, sum_by_target, weighted_sum
from gnn_space.convolutions.symmetric_normalization import symmetric_normalization


class ARMAConvolution(nn.Module):
    """The mean over K stacks of ``h_T``, where ``h_{t+1} = ReLU(S h_t W_t + x V + b)`` and ``h_0 = x``.

    W_0 is the stack's first matrix, W_t its second for t > 0, V and b are shared by all steps; the shift operator is
    ``S = D^-1/2 A D^-1/2``. Bianchi et al. 2021, arXiv:1901.01343. Differs from the paper: no dropout of x V. With
    directed edges D sums over the incoming ones, as in PyG's ARMAConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
        num_stacks: K, at least 1.
        num_steps: T, at least 2.
    """

    def __init__(self, in_channels: int, out_channels: int, *, num_stacks: int, num_steps: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.empty(num_stacks, in_channels, out_channels))
        self.later = nn.Parameter(torch.empty(num_stacks, out_channels, out_channels))
        self.root = nn.Parameter(torch.empty(num_stacks, in_channels, out_channels))
        self.bias = nn.Parameter(torch.empty(num_stacks, 1, out_channels))
        self.num_steps = num_steps

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        weight = ones_if_none(x, edge_index, edge_weight)
        shift = symmetric_normalization(edge_index, weight, sum_by_target(weight, edge_index, x.shape[0]))
        root = torch.matmul(x, self.root) + self.bias  # (num_stacks, num_nodes, out_channels)
        hidden = torch.matmul(x, self.first)
        for step in range(self.num_steps):
            if step > 0:
                hidden = torch.matmul(hidden, self.later)
            stacks = hidden.transpose(0, 1)  # (num_nodes, num_stacks, out_channels)
            shifted = weighted_sum(stacks.flatten(1), edge_index, shift).view_as(stacks)
            hidden = torch.relu(shifted.transpose(0, 1) + root)
        return hidden.mean(dim=0)

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 T num_edges K out_channels: one sum of messages for each step and stack."""
        num_stacks, _, out_channels = self.first.shape
        return 2 * self.num_steps * edge_index.shape[1] * num_stacks * out_channels
