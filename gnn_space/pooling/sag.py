"""Self-attention graph pooling: a graph convolution scores the nodes."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.convolutions.gcn import GCNConvolution
from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.highest_scores import HighestScores
from gnn_space.pooling.pooled import Pooled


class SAGPooling(nn.Module):
    """Keeps the nodes of each graph with the highest ``s = GCN(x, A)``, with features ``tanh(s_i) x_i``.

    Lee, Lee and Kang 2019, arXiv:1904.08082. Follows the paper; the convolution sees the weights of the edges.

    Args:
        channels: channels of x.
        ratio: share of the nodes of each graph that is kept, in (0, 1].

    Raises:
        ValueError: the ratio is no such share.
    """

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__()
        self.highest = HighestScores(ratio)
        self.score = GCNConvolution(channels, 1)

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""
        scores: Tensor = self.score(graphs.x, graphs.edge_index, graphs.edge_weight)
        return self.highest.gated_subgraph(graphs, scores.squeeze(1))
