"""Chebyshev filters."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import sum_by_target, weighted_sum, without_self_loops
from gnn_space.convolutions.symmetric_normalization import symmetric_normalization


class ChebyshevConvolution(nn.Module):
    """``sum_{k<K} T_k(L') x W_k + b`` with Chebyshev's polynomials T_k and the scaled Laplacian ``L' = 2 L/2 - I``.

    T_0 = 1, T_1 = L', T_k = 2 L' T_{k-1} - T_{k-2}. L is ``I - D^-1/2 A D^-1/2`` with a zero diagonal of A.
    Defferrard, Bresson and Vandergheynst 2016, arXiv:1606.09375. Differs from the paper: the largest eigenvalue of L is
    taken as 2, its upper bound, so that no graph of a batch depends on another; L' is then ``-D^-1/2 A D^-1/2``. With
    directed edges D sums over the outgoing ones, as in PyG's ChebConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
        num_terms: K, at least 1; a filter looks K - 1 edges far.
    """

    def __init__(self, in_channels: int, out_channels: int, *, num_terms: int) -> None:
        super().__init__()
        self.terms = nn.ModuleList(nn.Linear(in_channels, out_channels, bias=False) for _ in range(num_terms))
        self.bias = nn.Parameter(torch.empty(out_channels))
        self.in_channels = in_channels

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        weight = without_self_loops(x, edge_index, edge_weight)
        scaled = -symmetric_normalization(edge_index, weight, sum_by_target(weight, edge_index.flip(0), x.shape[0]))
        before, current = x, x
        outputs = self.bias
        for power, term in enumerate(self.terms):
            if power == 1:
                current = weighted_sum(x, edge_index, scaled)
            elif power > 1:
                before, current = current, 2 * weighted_sum(current, edge_index, scaled) - before
            outputs = outputs + term(current)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 (K - 1) num_edges in_channels: one sum of messages for each term after the first."""
        return 2 * (len(self.terms) - 1) * edge_index.shape[1] * self.in_channels
