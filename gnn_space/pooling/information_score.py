"""How much of a node its neighbors do not tell: the score by which HGP-SL keeps nodes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from gnn_space.convolutions.neighbor_sum import neighbor_sum

Normalization = Callable[[Tensor, Tensor, Tensor], Tensor]


def information_score(
    x: Tensor, edge_index: Tensor, edge_weight: Tensor | None, normalization: Normalization
) -> Tensor:
    """Return the 1-norm of the difference between each node's features and what its neighbors predict.

    s_i = || ((I - N(A)) X)_i ||_1, where A_ij is the weight of the edge from j to i, as it is given (a self-loop
    counts), and N is `random_walk` or `symmetric`. Zhang et al. 2019 (HGP-SL, arXiv:1911.05954): `random_walk` follows
    the paper, `symmetric` follows its authors' code.

    No gradient flows through it: it only chooses nodes. No message is kept in memory, and the order of the sums does
    not depend on the device's scheduling, so that equal nodes stay equal.

    Args:
        x: features (num_nodes, channels).
        edge_index: (2, num_edges) as (source, target).
        edge_weight: (num_edges,), at least 0; None is 1 for each.
        normalization: takes edges, weights and row sums of A to the weights of N(A).

    Returns:
        Scores (num_nodes,), at least 0; for a node without neighbors the 1-norm of its features.
    """
    with torch.no_grad():
        num_nodes = x.shape[0]
        weight = x.new_ones(edge_index.shape[1]) if edge_weight is None else edge_weight.to(x.dtype)
        degree = x.new_zeros(num_nodes).index_add_(0, edge_index[1], weight)
        normalized = normalization(edge_index, weight, degree)
        predicted = neighbor_sum(x.unsqueeze(1), edge_index, normalized.unsqueeze(1)).squeeze(1)
        return predicted.sub_(x).abs_().sum(1)


def random_walk(edge_index: Tensor, edge_weight: Tensor, degree: Tensor) -> Tensor:
    """Return the entries of D^-1 A; a node of degree 0 has none."""
    return edge_weight * _power(degree, -1.0).index_select(0, edge_index[1])


def symmetric(edge_index: Tensor, edge_weight: Tensor, degree: Tensor) -> Tensor:
    """Return the entries of D^-1/2 A D^-1/2; a node of degree 0 has none."""
    root = _power(degree, -0.5)
    return root.index_select(0, edge_index[1]) * edge_weight * root.index_select(0, edge_index[0])


def _power(degree: Tensor, exponent: float) -> Tensor:
    return torch.where(degree > 0, degree, 1.0) ** exponent * (degree > 0)
