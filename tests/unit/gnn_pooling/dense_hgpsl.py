"""HGP-SL of one graph with dense matrices, as its paper writes it: what the operator is compared with."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def dense_hgpsl(
    x: Tensor,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    attention: Tensor | None,
    *,
    ratio: float,
    structure: str,
    normalization: str,
    num_hops: int = 3,
    adjacency_weight: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Returns the kept nodes, and the weights S (kept, kept) of the edges from column to row."""
    num_nodes = x.shape[0]
    adjacency = x.new_zeros(num_nodes, num_nodes)
    for edge, (source, target) in enumerate(edge_index.t().tolist()):
        entry = x.new_zeros(num_nodes, num_nodes)
        entry[target, source] = 1.0
        adjacency = adjacency + entry * (1.0 if edge_weight is None else edge_weight[edge])
    score = information(x, adjacency, normalization).tolist()
    count = max(1, math.ceil(ratio * num_nodes - 1e-9))
    kept = torch.tensor(sorted(sorted(range(num_nodes), key=lambda node: (-score[node], node))[:count]))
    inside = adjacency[kept][:, kept]
    if attention is None:
        return kept, inside
    features, half = x[kept], x.shape[1]
    logits = torch.stack([torch.stack([attention.flatten() @ torch.cat((i, j)) for j in features]) for i in features])
    logits = torch.where(logits > 0, logits, 0.2 * logits) + adjacency_weight * inside
    assert attention.numel() == 2 * half
    allowed = torch.ones_like(inside, dtype=torch.bool)
    if structure.endswith("k_hop"):
        step = (adjacency > 0).double() + torch.eye(num_nodes, dtype=torch.float64)
        allowed = torch.linalg.matrix_power(step, num_hops)[kept][:, kept] > 0
    rows = []
    for row, of_row in zip(logits, allowed, strict=True):
        weights = sparsemax(row[of_row]) if structure.startswith("sparsemax") else torch.softmax(row[of_row], 0)
        rows.append(x.new_zeros(count).index_add(0, of_row.nonzero().flatten(), weights))
    return kept, torch.stack(rows)


def information(x: Tensor, adjacency: Tensor, normalization: str) -> Tensor:
    """Returns the 1-norm of each row of (I - D^-1 A) X, or of the symmetric one."""
    degree = adjacency.sum(1)
    if normalization == "random_walk":
        walk = torch.diag(torch.where(degree > 0, 1 / degree, 0.0)) @ adjacency
    else:
        root = torch.diag(torch.where(degree > 0, degree**-0.5, 0.0))
        walk = root @ adjacency @ root
    return (x - walk @ x).abs().sum(1)


def sparsemax(z: Tensor) -> Tensor:
    """Returns the sparsemax of a vector; torch differentiates it."""
    falling = torch.sort(z, descending=True).values
    size = max(r for r in range(1, len(z) + 1) if 1 + r * falling[r - 1] > falling[:r].sum())
    return torch.relu(z - (falling[:size].sum() - 1) / size)
