"""Edge pooling: pairs of nodes become one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.convolutions.edge_softmax import edge_softmax
from gnn_space.convolutions.message_passing import without_self_loops
from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.matching import greedy_matching
from gnn_space.pooling.pooled import Pooled
from gnn_space.segments import segment_sum

ADDED_TO_SCORE = 0.5


class EdgePooling(nn.Module):
    """Contracts a greedy matching of the edges with the highest scores; about half of the nodes stay.

    The score of the edge from j to i is the softmax over i's incoming edges of ``w_s x_j + w_t x_i + b``, plus 1/2. A
    contracted pair has the features ``s_ij (x_i + x_j)`` and is represented by its lower-numbered node; other nodes
    stay as they are. Diehl et al. 2019, arXiv:1905.10990. Differs from the paper: no dropout of scores; a contracted
    edge leaves no loop behind (in PyG's EdgePooling it does).

    Weights: the softmax is weighted by them, an edge of weight 0 is never contracted, and of parallel edges between
    contracted pairs the largest weight stays. Loops are dropped. Finding the matching waits for the device in each of
    its rounds; see `greedy_matching`.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.score_of_source = nn.Linear(channels, 1)
        self.score_of_target = nn.Linear(channels, 1, bias=False)

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""
        num_nodes, batch = graphs.num_nodes, graphs.batch
        weight = without_self_loops(graphs.x, graphs.edge_index, graphs.edge_weight)
        alive = weight > 0
        edges, weight = graphs.edge_index[:, alive], weight[alive]
        scores = self._scores(graphs.x, edges, weight)
        contracted = greedy_matching(edges, scores.detach(), num_nodes)
        lower, upper = edges[:, contracted].amin(dim=0), edges[:, contracted].amax(dim=0)
        stays = torch.ones_like(batch, dtype=torch.bool).index_fill_(0, upper, False)
        kept = stays.nonzero().squeeze(1)
        number = stays.long().cumsum(0) - 1
        number = number.index_copy(0, upper, number[lower])
        x = segment_sum(graphs.x, number, len(kept))
        factor = scores.new_ones(len(kept)).index_copy(0, number[lower], scores[contracted])
        edge_index, edge_weight = _merged(number[edges], weight, len(kept))
        if graphs.edge_weight is None:
            edge_weight = None
        sizes = torch.bincount(batch[kept], minlength=graphs.num_graphs).cpu()
        return Pooled(GraphBatch(x * factor.unsqueeze(1), edge_index, sizes, batch[kept], edge_weight), kept)

    def _scores(self, x: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
        """Return the scores of the edges (num_edges,), in 0.5..1.5."""
        source, target = self.score_of_source(x), self.score_of_target(x)
        raw = source.index_select(0, edges[0]) + target.index_select(0, edges[1])
        return edge_softmax(raw, edges, weight, x.shape[0]).squeeze(1) + ADDED_TO_SCORE


def _merged(edges: Tensor, weight: Tensor, num_nodes: int) -> tuple[Tensor, Tensor | None]:
    """Return the edges by source and target without loops, each once with the largest of its weights."""
    between = edges[0] != edges[1]
    edges, weight = edges[:, between], weight[between]
    places, which = torch.unique(edges[0] * num_nodes + edges[1], return_inverse=True)
    largest = weight.new_zeros(len(places)).scatter_reduce(0, which, weight, "amax")
    source = torch.div(places, max(num_nodes, 1), rounding_mode="floor")
    return torch.stack([source, places - source * num_nodes]), largest
