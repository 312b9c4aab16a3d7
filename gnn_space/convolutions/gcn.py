"""The graph convolutional network's convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import sum_by_target, weighted_sum, with_self_loops
from gnn_space.convolutions.symmetric_normalization import symmetric_normalization


class GCNConvolution(nn.Module):
    """``D^-1/2 (A + I) D^-1/2 x W + b``, D the degrees of A + I.

    Kipf and Welling 2017, arXiv:1609.02907. Follows the paper; weights of edges are entries of A, whose diagonal is
    taken as 0. With directed edges D sums over the incoming ones, as in PyG's GCNConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(in_channels, out_channels, bias=False)
        self.bias = nn.Parameter(torch.empty(out_channels))

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        edges, weight = with_self_loops(x, edge_index, edge_weight)
        weight = symmetric_normalization(edges, weight, sum_by_target(weight, edges, x.shape[0]))
        return weighted_sum(self.linear(x), edges, weight) + self.bias

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 (num_edges + num_nodes) out_channels: the sum of the messages, loops included."""
        return 2 * (edge_index.shape[1] + x.shape[0]) * self.linear.out_features
