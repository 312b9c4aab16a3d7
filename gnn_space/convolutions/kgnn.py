"""The convolution of k-dimensional graph networks, with k = 1."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.convolutions.message_passing import weighted_sum


class KGNNConvolution(nn.Module):
    """``W_n sum_j w_ij x_j + b + W_r x_i``.

    Morris et al. 2019, arXiv:1810.02244, the layer of its 1-GNN: on nodes, not on sets of k nodes. Follows the paper;
    PyG's GraphConv.

    Args:
        in_channels: channels of x.
        out_channels: channels of the output.
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.neighbors = nn.Linear(in_channels, out_channels)
        self.root = nn.Linear(in_channels, out_channels, bias=False)

    def forward(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
        """Return (num_nodes, out_channels)."""
        outputs: Tensor = self.neighbors(weighted_sum(x, edge_index, edge_weight)) + self.root(x)
        return outputs

    def uncounted_flops(self, x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> int:
        """Return 2 num_edges in_channels: the sum of the messages."""
        return 2 * edge_index.shape[1] * self.neighbors.in_features
