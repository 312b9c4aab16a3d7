"""The softmax over each node's incoming edges, where edges have weights."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_space.convolutions.message_passing import ones_if_none, sum_by_target

LARGEST_EXPONENT = 80.0  # exp of it is a float32


def edge_softmax(scores: Tensor, edge_index: Tensor, edge_weight: Tensor | None, num_nodes: int) -> Tensor:
    """Return the attention ``a_ij = w_ij exp(s_ij) / sum_k w_ik exp(s_ik)`` over the edges that end at the same node.

    An edge of weight 0 has attention 0 and changes no other; weights of 1 give the plain softmax. The attentions of a
    node whose edges all weigh 0 are 0; a single edge has attention 1 whatever else it weighs.

    Args:
        scores: s (num_edges, heads).
        edge_index: edges (2, num_edges) as (source, target).
        edge_weight: w (num_edges,), at least 0; None is 1 for each.
        num_nodes: number of nodes.
    """
    weight = ones_if_none(scores, edge_index, edge_weight).unsqueeze(1)
    target = edge_index[1]
    with torch.no_grad():  # the softmax does not change when a number is added to all scores of a node
        logits = scores + weight.log()
        largest = logits.new_full((num_nodes, scores.shape[1]), -torch.inf)
        largest = largest.scatter_reduce(0, target.unsqueeze(1).expand_as(logits), logits, "amax")
        largest = torch.where(largest.isfinite(), largest, 0)
    # an edge of weight 0 may score far above the others: bounded, so that 0 times its exponential is 0
    terms = weight * (scores - largest.index_select(0, target)).clamp(max=LARGEST_EXPONENT).exp()
    totals = sum_by_target(terms, edge_index, num_nodes)
    return terms / torch.where(totals > 0, totals, 1).index_select(0, target)
