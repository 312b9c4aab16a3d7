"""Keep the nodes of each graph with the highest scores, and the edges among them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.nn.pool.select import SelectOutput

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.induced_subgraph import InducedEdges
from gnn_space.pooling.pooled import Pooled, kept_sizes
from gnn_space.pooling.selection import top_k


@dataclass(frozen=True)
class HighestScores:
    """Selects a share of the nodes of each graph.

    Attributes:
        ratio: the share, in (0, 1]; see `kept_sizes`.

    Raises:
        ValueError: the ratio is no such share.
    """

    ratio: float

    def __post_init__(self) -> None:
        if not 0 < self.ratio <= 1:
            raise ValueError(f"ratio is {self.ratio}; give the share of the nodes to keep, above 0 and at most 1")

    def select(self, graphs: GraphBatch, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return the kept nodes (num_kept,), rising, and how many of each graph (num_graphs,) on the CPU.

        Args:
            graphs: the batch.
            scores: (num_nodes,); of equal ones the lower number is kept.
        """
        sizes = kept_sizes(graphs.sizes, self.ratio)
        return top_k(scores.detach(), graphs, sizes), sizes

    def gated_subgraph(self, graphs: GraphBatch, scores: Tensor) -> Pooled:
        """Return the kept nodes with features ``tanh(score_i) x_i``, and the edges that they had among them."""
        kept, sizes = self.select(graphs, scores)
        x = graphs.x.index_select(0, kept) * torch.tanh(scores.index_select(0, kept)).unsqueeze(1)
        selected = SelectOutput(kept, graphs.num_nodes, torch.arange(len(kept), device=kept.device), len(kept))
        edges = InducedEdges()(selected, graphs.edge_index, graphs.edge_weight, graphs.batch, x, sizes)
        return Pooled(GraphBatch(x, edges.edge_index, sizes, edges.batch, edges.edge_attr), kept)
