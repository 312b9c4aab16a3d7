"""GraphSAGE's convolutions, by how they aggregate the neighbors.

The paper's LSTM aggregator is left out: its output depends on the order of the neighbors.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import weighted_mean, weighted_sum

Aggregate = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


class SAGEConvolution(nn.Module):
    """``W_n aggregate_j(x_j) + b + W_r x_i``.

    Hamilton, Ying and Leskovec 2017, arXiv:1706.02216. Differs from the paper: outputs are not scaled to length 1 and
    neighbors are not sampled, as in PyG's SAGEConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
        aggregate: makes (num_nodes, in_channels) of x, the edges and their weights.
    """

    def __init__(self, in_channels: int, out_channels: int, aggregate: Aggregate) -> None:
        super().__init__()
        self.neighbors = nn.Linear(in_channels, out_channels)
        self.root = nn.Linear(in_channels, out_channels, bias=False)
        self.aggregate = aggregate

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        outputs: Tensor = self.neighbors(self.aggregate(x, edge_index, edge_weight)) + self.root(x)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 num_edges in_channels: a multiplication and an addition or comparison a message."""
        return 2 * edge_index.shape[1] * self.neighbors.in_features


class SAGEMaxConvolution(nn.Module):
    """``W_n max_j(w_ij ReLU(W_p x_j + b_p)) + b + W_r x_i``: `SAGEConvolution` with the paper's pooling aggregator.

    The messages are at least 0 and a node without neighbors gets 0, so a message fades to no message with its weight.
    A maximum of the x_j themselves would not: there 0 may be the largest of negative values.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(in_channels, in_channels)
        self.neighbors = nn.Linear(in_channels, out_channels)
        self.root = nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        messages = torch.relu(self.projection(x)).index_select(0, edge_index[0])
        if edge_weight is not None:
            messages = edge_weight.unsqueeze(1) * messages
        target = edge_index[1].unsqueeze(1).expand_as(messages)
        largest = messages.new_zeros(x.shape).scatter_reduce(0, target, messages, "amax", include_self=True)
        outputs: Tensor = self.neighbors(largest) + self.root(x)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 num_edges in_channels: a multiplication and a comparison a message."""
        return 2 * edge_index.shape[1] * self.projection.in_features


def sage_mean(in_channels: int, out_channels: int) -> SAGEConvolution:
    """Return the convolution of the mean of the neighbors weighted by their edges."""
    return SAGEConvolution(in_channels, out_channels, weighted_mean)


def sage_sum(in_channels: int, out_channels: int) -> SAGEConvolution:
    """Return the convolution of the sum of the neighbors weighted by their edges, which the paper does not have."""
    return SAGEConvolution(in_channels, out_channels, weighted_sum)
