"""The convolution of graph attention networks with dynamic attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnn_space.convolutions.attention_heads import channels_per_head, heads_sum
from gnn_space.convolutions.edge_softmax import edge_softmax
from gnn_space.convolutions.message_passing import with_self_loops

NEGATIVE_SLOPE = 0.2


class GATv2Convolution(nn.Module):
    """``sum_j a_ij (W_s x_j + b_s) + b``, a the softmax of ``a LeakyReLU(W_s x_j + b_s + W_t x_i + b_t)``.

    The heads stand side by side. Brody, Alon and Yahav 2022, arXiv:2105.14491. Differs from the paper: no dropout of
    attentions; ``a_ij = w_ij exp(e_ij) / sum_k w_ik exp(e_ik)`` with the weights w of the edges. Every node has a loop
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
        self.source = nn.Linear(in_channels, out_channels)
        self.target = nn.Linear(in_channels, out_channels)
        self.attention = nn.Parameter(torch.empty(heads, channels_per_head(out_channels, heads)))
        self.bias = nn.Parameter(torch.empty(out_channels))

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        edges, weight = with_self_loops(x, edge_index, edge_weight)
        source = self.source(x).unflatten(1, self.attention.shape)  # (num_nodes, heads, channels)
        target = self.target(x).unflatten(1, self.attention.shape)
        pairs = source.index_select(0, edges[0]) + target.index_select(0, edges[1])
        scores = (functional.leaky_relu(pairs, NEGATIVE_SLOPE) * self.attention).sum(dim=2)
        return heads_sum(source, edges, edge_softmax(scores, edges, weight, x.shape[0])) + self.bias

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 4 (num_edges + num_nodes) out_channels: a score and a message an edge, loops included."""
        return 4 * (edge_index.shape[1] + x.shape[0]) * self.source.out_features
