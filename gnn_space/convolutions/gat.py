"""The graph attention network's convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnn_space.convolutions.attention_heads import channels_per_head, heads_sum
from gnn_space.convolutions.edge_softmax import edge_softmax
from gnn_space.convolutions.message_passing import with_self_loops

NEGATIVE_SLOPE = 0.2


class GATConvolution(nn.Module):
    """``sum_j a_ij W x_j + b`` with a the softmax over j of ``LeakyReLU(a_s W x_j + a_t W x_i)``, heads side by side.

    Velickovic et al. 2018, arXiv:1710.10903. Differs from the paper: no dropout of attentions; attention is multiplied
    by the weight of its edge and normalized, ``a_ij = w_ij exp(e_ij) / sum_k w_ik exp(e_ik)``. Every node has a loop
    of weight 1, in place of its own ones.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output, all heads together; a multiple of `heads`.
        heads: number of attentions.

    Raises:
        ValueError: the channels cannot be divided among the heads.
    """

    def __init__(self, in_channels: int, out_channels: int, *, heads: int) -> None:
        super().__init__()
        shape = heads, channels_per_head(out_channels, heads)
        self.linear = nn.Linear(in_channels, out_channels, bias=False)
        self.attention_of_source = nn.Parameter(torch.empty(shape))
        self.attention_of_target = nn.Parameter(torch.empty(shape))
        self.bias = nn.Parameter(torch.empty(out_channels))

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        edges, weight = with_self_loops(x, edge_index, edge_weight)
        values = self.linear(x).unflatten(1, self.attention_of_source.shape)  # (num_nodes, heads, channels)
        of_source = (values * self.attention_of_source).sum(dim=2)
        of_target = (values * self.attention_of_target).sum(dim=2)
        scores = of_source.index_select(0, edges[0]) + of_target.index_select(0, edges[1])
        scores = functional.leaky_relu(scores, NEGATIVE_SLOPE)
        attention = edge_softmax(scores, edges, weight, x.shape[0])
        return heads_sum(values, edges, attention) + self.bias

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return (4 num_nodes + 2 (num_edges + num_nodes)) out_channels: two scores a node, and the messages."""
        num_nodes = x.shape[0]
        return (4 * num_nodes + 2 * (edge_index.shape[1] + num_nodes)) * self.linear.out_features
