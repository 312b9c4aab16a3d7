"""A matching of high-scored edges, found in parallel."""

from __future__ import annotations

import torch
from torch import Tensor


def greedy_matching(edge_index: Tensor, scores: Tensor, num_nodes: int) -> Tensor:
    """Return the edges that are chosen when one goes through them by falling score and takes each with two free ends.

    Of equal scores the lower edge comes first. In rounds: every edge that comes before all others at both of its ends
    is taken, as the sequential choice would take it, and edges that lost an end go (Preis 1999, "Linear time
    1/2-approximation algorithm for maximum weighted matching"; parallel by Manne and Bisseling 2007). The number of
    rounds is about logarithmic for scores in random order, at worst the length of the longest path of falling scores.
    Each round asks the device how many edges are left.

    Args:
        edge_index: edges (2, num_edges), none from a node to itself.
        scores: (num_edges,).
        num_nodes: number of nodes.

    Returns:
        The numbers of the chosen edges (num_chosen,), rising.
    """
    order = torch.argsort(scores, descending=True, stable=True)  # from here on an edge is called by its rank
    ends = edge_index.index_select(1, order)
    ranks = torch.arange(len(order), device=order.device)
    chosen = torch.zeros_like(ranks, dtype=torch.bool)
    free = torch.ones(num_nodes, dtype=torch.bool, device=order.device)
    while len(ranks):
        source, target = ends[0].index_select(0, ranks), ends[1].index_select(0, ranks)
        first = ranks.new_full((num_nodes,), len(order))
        first = first.scatter_reduce(0, source, ranks, "amin").scatter_reduce(0, target, ranks, "amin")
        taken = (first.index_select(0, source) == ranks) & (first.index_select(0, target) == ranks)
        chosen[ranks[taken]] = True
        free[source[taken]] = False
        free[target[taken]] = False
        ranks = ranks[free.index_select(0, source) & free.index_select(0, target)]
    return torch.sort(order[chosen]).values
