"""The graph isomorphism network's convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.message_passing import weighted_sum


class GINConvolution(nn.Module):
    """``MLP((1 + epsilon) x_i + sum_j w_ij x_j)`` with a trained epsilon and an MLP of two layers and a ReLU.

    Xu et al. 2019, arXiv:1810.00826. Differs from the paper: the MLP has no batch normalization, since normalization
    is a choice of the block; edges have weights.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output and of the MLP's hidden layer.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.epsilon = nn.Parameter(torch.empty(1))
        self.hidden = nn.Linear(in_channels, out_channels)
        self.output = nn.Linear(out_channels, out_channels)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        together = (1 + self.epsilon) * x + weighted_sum(x, edge_index, edge_weight)
        outputs: Tensor = self.output(torch.relu(self.hidden(together)))
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 (num_edges + num_nodes) in_channels: the sum of the neighbors and of the node itself."""
        return 2 * (edge_index.shape[1] + x.shape[0]) * self.hidden.in_features
