"""General polynomial graph filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import ones_if_none, sum_by_target, weighted_sum
from gnn_space.convolutions.symmetric_normalization import symmetric_normalization


class PolynomialConvolution(nn.Module):
    """A bank of graph filters ``sum_{k<=K} S^k x H_k + b`` with the shift operator ``S = D^-1/2 A D^-1/2``.

    Sandryhaila and Moura 2013, arXiv:1210.4752; as layers of networks Gama, Marques, Leus and Ribeiro 2019,
    arXiv:1805.00165, and Du et al. 2017, arXiv:1710.10370 (TAGCN). Follows the papers: the coefficients are matrices,
    one a power. Loops count with their weights, and with directed edges D sums over the incoming ones, as in PyG's
    TAGConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
        order: K, at least 1: how many edges far the filter looks.
    """

    def __init__(self, in_channels: int, out_channels: int, *, order: int) -> None:
        super().__init__()
        self.powers = nn.ModuleList(nn.Linear(in_channels, out_channels, bias=False) for _ in range(order + 1))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.in_channels = in_channels

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        weight = ones_if_none(x, edge_index, edge_weight)
        shift = symmetric_normalization(edge_index, weight, sum_by_target(weight, edge_index, x.shape[0]))
        outputs = self.bias
        for power, coefficients in enumerate(self.powers):
            if power > 0:
                x = weighted_sum(x, edge_index, shift)
            outputs = outputs + coefficients(x)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 K num_edges in_channels: one sum of messages for each power after the zeroth."""
        return 2 * (len(self.powers) - 1) * edge_index.shape[1] * self.in_channels
