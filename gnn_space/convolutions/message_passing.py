"""Sums of weighted messages over the edges, the step that all convolutions share."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_space.convolutions.neighbor_sum import neighbor_sum


def weighted_sum(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return for each node i the sum of ``w_ij x_j`` over its edges from j, zeros where it has none.

    Args:
        x: features (num_nodes, channels).
        edge_index: edges (2, num_edges) as (source, target).
        edge_weight: weights (num_edges,); None is 1 for each.
    """
    if x.is_cpu:
        weight = ones_if_none(x, edge_index, edge_weight).to(x.dtype)
        return neighbor_sum(x.unsqueeze(1), edge_index, weight.unsqueeze(1)).squeeze(1)
    messages = x.index_select(0, edge_index[0])
    if edge_weight is not None:
        messages = edge_weight.unsqueeze(1) * messages
    return sum_by_target(messages, edge_index, x.shape[0])


def weighted_mean(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return for each node i the mean of x_j weighted by w_ij, zeros where its weights sum to 0; see `weighted_sum`.

    As with all that is normalized, a node's only edge counts in full until its weight is 0: there alone it jumps.
    """
    total = incoming_weight(x, edge_index, edge_weight)
    return weighted_sum(x, edge_index, edge_weight) / torch.where(total > 0, total, 1).unsqueeze(1)


def incoming_weight(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return the sum of the weights of each node's incoming edges (num_nodes,); arguments as in `weighted_sum`."""
    return sum_by_target(ones_if_none(x, edge_index, edge_weight), edge_index, x.shape[0])


def sum_by_target(values: Tensor, edge_index: Tensor, num_nodes: int) -> Tensor:
    """Return for each node the sum of the values (num_edges, ...) of its incoming edges."""
    return values.new_zeros(num_nodes, *values.shape[1:]).index_add(0, edge_index[1], values)


def ones_if_none(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return the weights of the edges, ones of x's type for None."""
    return x.new_ones(edge_index.shape[1]) if edge_weight is None else edge_weight


def with_self_loops(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return edges and weights with one more edge of weight 1 from each node to itself.

    Loops that are there already get weight 0, so that each node has one loop of weight 1, whatever the weight of its
    own was. PyG keeps a loop's own weight in GCNConv; that is the same at weight 1, but it would make removing a loop
    something else than giving it weight 0.
    """
    loops = torch.arange(x.shape[0], device=x.device)
    weight = without_self_loops(x, edge_index, edge_weight)
    return torch.cat([edge_index, loops.expand(2, -1)], dim=1), torch.cat([weight, weight.new_ones(x.shape[0])])


def without_self_loops(x: Tensor, edge_index: Tensor, edge_weight: Tensor | None) -> Tensor:
    """Return the weights of the edges, 0 for those from a node to itself."""
    return ones_if_none(x, edge_index, edge_weight) * (edge_index[0] != edge_index[1])
