"""The symmetric normalization of weighted adjacency matrices."""

from __future__ import annotations

import torch
from torch import Tensor


def symmetric_normalization(edge_index: Tensor, edge_weight: Tensor, degree: Tensor) -> Tensor:
    """Return the weights ``d_i^-1/2 w_ij d_j^-1/2`` of ``D^-1/2 A D^-1/2``, with 0 for the inverse of a degree 0.

    PyG's own normalization gives the same values and NaN as gradient of the weights of a node whose edges all weigh 0;
    here that gradient is 0.

    Args:
        edge_index: edges (2, num_edges) as (source, target).
        edge_weight: their weights (num_edges,), at least 0.
        degree: sum of the weights at each node (num_nodes,).
    """
    positive = degree > 0
    inverse_root = torch.where(positive, torch.where(positive, degree, 1).rsqrt(), 0)
    return inverse_root.index_select(0, edge_index[0]) * edge_weight * inverse_root.index_select(0, edge_index[1])
