"""The graph transformer's convolution."""

from __future__ import annotations

import math

from torch import Tensor, nn

from gnn_space.convolutions.attention_heads import channels_per_head, heads_sum
from gnn_space.convolutions.edge_softmax import edge_softmax


class TransformerConvolution(nn.Module):
    """``W_r x_i + b_r + sum_j a_ij (W_v x_j + b_v)``, a the softmax over j of ``q_i k_j / sqrt(d)``, heads in a row.

    Shi et al. 2021, arXiv:2009.03509. Differs from the paper: no gate between the two summands and no dropout of
    attentions, as in PyG's TransformerConv; ``a_ij = w_ij exp(e_ij) / sum_k w_ik exp(e_ik)`` with the weights w of the
    edges. No loops are added.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output, all heads together; a multiple of `heads`.
        heads: number of attentions.

    Raises:
        ValueError: the channels cannot be divided among the heads.
    """

    def __init__(self, in_channels: int, out_channels: int, *, heads: int) -> None:
        super().__init__()
        self.shape = heads, channels_per_head(out_channels, heads)
        self.query = nn.Linear(in_channels, out_channels)
        self.key = nn.Linear(in_channels, out_channels)
        self.value = nn.Linear(in_channels, out_channels)
        self.root = nn.Linear(in_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        queries = self.query(x).unflatten(1, self.shape).index_select(0, edge_index[1])
        keys = self.key(x).unflatten(1, self.shape).index_select(0, edge_index[0])
        scores = (queries * keys).sum(dim=2) / math.sqrt(self.shape[1])
        attention = edge_softmax(scores, edge_index, edge_weight, x.shape[0])
        outputs: Tensor = heads_sum(self.value(x).unflatten(1, self.shape), edge_index, attention) + self.root(x)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 4 num_edges out_channels: a score and a message an edge."""
        return 4 * edge_index.shape[1] * self.root.out_features
