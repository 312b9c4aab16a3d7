"""Keep the nodes of each graph that have the largest scores."""

from __future__ import annotations

import torch
from torch import Tensor
from torch_geometric.nn.pool.select import Select, SelectOutput

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.information_score import Normalization, information_score
from gnn_space.pooling.pooled import kept_sizes


class SelectByInformation(Select):
    """Selects the nodes whose neighbors predict them worst, each as a cluster of its own.

    Which are kept has no gradient: the information score has no parameters, and no feature is multiplied by it.
    """

    def __init__(self, ratio: float, normalization: Normalization) -> None:
        """Hold how many are kept, and how the score sees the neighbors.

        Args:
            ratio: share of the nodes of each graph that is kept, in (0, 1].
            normalization: of the adjacency in the score; see `information_score`.

        Raises:
            ValueError: the ratio is no such share.
        """
        super().__init__()
        if not 0 < ratio <= 1:
            raise ValueError(f"ratio is {ratio}; give the share of the nodes to keep, above 0 and at most 1")
        self.ratio = ratio
        self.normalization = normalization

    def forward(self, graphs: GraphBatch) -> SelectOutput:
        """Return the kept nodes, rising, with no weights."""
        score = information_score(graphs.x, graphs.edge_index, graphs.edge_weight, self.normalization)
        kept = top_k(score, graphs, kept_sizes(graphs.sizes, self.ratio))
        clusters = torch.arange(len(kept), device=kept.device)
        return SelectOutput(kept, graphs.num_nodes, clusters, len(kept))


def top_k(score: Tensor, graphs: GraphBatch, num_kept: Tensor) -> Tensor:
    """Return the nodes of each graph with the largest scores, rising; of equal ones the lower number is kept.

    How many there are is known beforehand, so that nothing waits for an accelerator.

    Args:
        score: (num_nodes,).
        graphs: the batch.
        num_kept: how many of each graph are kept (num_graphs,) int64 on the CPU, at most its size.

    Returns:
        Nodes (sum of num_kept,) int64.
    """
    falling = torch.argsort(score, descending=True, stable=True)
    ranked = falling.index_select(0, torch.argsort(graphs.batch.index_select(0, falling), stable=True))
    # the graph's first place among all nodes, less that among the kept ones
    shift = (graphs.sizes - num_kept).cumsum(0) - (graphs.sizes - num_kept)
    total = int(num_kept.sum())
    places = torch.arange(total) + torch.repeat_interleave(shift, num_kept, output_size=total)
    return torch.sort(ranked.index_select(0, places.to(score.device, non_blocking=True))).values
