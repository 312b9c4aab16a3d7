"""TopK pooling: a trained direction scores the nodes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.highest_scores import HighestScores
from gnn_space.pooling.pooled import Pooled


class TopKPooling(nn.Module):
    """Keeps the nodes of each graph with the highest ``s_i = x_i p / |p|``, with features ``tanh(s_i) x_i``.

    Gao and Ji 2019 (Graph U-Nets), arXiv:1905.05178; Cangea et al. 2018, arXiv:1811.01287, from which tanh is, where
    the former has a sigmoid, and edges between kept nodes that are two steps apart. Follows the latter, as PyG's
    TopKPooling does.

    Args:
        channels: channels of x.
        ratio: share of the nodes of each graph that is kept, in (0, 1].

    Raises:
        ValueError: the ratio is no such share.
    """

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__()
        self.highest = HighestScores(ratio)
        self.projection = nn.Parameter(torch.empty(channels))

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""
        scores: Tensor = graphs.x @ functional.normalize(self.projection, dim=0)
        return self.highest.gated_subgraph(graphs, scores)

    def uncounted_flops(self, graphs: GraphBatch) -> int:
        """Return 2 num_nodes channels: the scores."""
        return 2 * graphs.x.numel()
