"""Which pairs of kept nodes may be joined by a learnt edge."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gnn_space.pooling.induced_subgraph import InducedSubgraph
from gnn_space.stable_order import stable_order


@dataclass(frozen=True, eq=False)
class CandidatePairs:
    """Pairs of kept nodes of the same graph; each node is paired with itself too.

    Attributes:
        target: the node i whose row the pair is in (num_pairs,), rising.
        source: the node j (num_pairs,), rising within each row.
        adjacency: A_ij, the weight of the edge from j to i (num_pairs,); 0 where there is none.
    """

    target: Tensor
    source: Tensor
    adjacency: Tensor


class Candidates(Protocol):
    """Chooses the pairs. The self pair is always one, so that no row is empty, as in the authors' code."""

    def __call__(self, subgraph: InducedSubgraph, dtype: torch.dtype) -> CandidatePairs:
        """Return the pairs, with the adjacency as numbers of that type."""


def all_pairs(subgraph: InducedSubgraph, dtype: torch.dtype) -> CandidatePairs:
    """Return all pairs of kept nodes of the same graph: as many as the squares of the sizes add up to.

    All shapes follow from the sizes on the CPU: nothing waits for an accelerator.
    """
    sizes, device = subgraph.sizes, subgraph.kept.device
    num_pairs = int((sizes * sizes).sum())
    num_kept = subgraph.num_kept
    there = sizes.to(device, non_blocking=True)
    row_length = torch.repeat_interleave(there, there, output_size=num_kept)
    first_node = torch.repeat_interleave(there.cumsum(0) - there, there, output_size=num_kept)
    # pair p of row i is with node p - shift_i
    shift = row_length.cumsum(0) - row_length - first_node
    nodes = torch.arange(num_kept, device=device)
    target = torch.repeat_interleave(nodes, row_length, output_size=num_pairs)
    source = torch.arange(num_pairs, device=device) - shift.index_select(0, target)
    from_node, to_node = subgraph.edge_index
    pair = from_node + shift.index_select(0, to_node)
    adjacency = torch.zeros(num_pairs, dtype=dtype, device=device).index_add(0, pair, _weights(subgraph, dtype))
    return CandidatePairs(target, source, adjacency)


@dataclass(frozen=True)
class PairsWithinHops:
    """Chooses the pairs of kept nodes of which one reaches the other along few edges.

    Hops are edges of positive weight of the graph before the pooling: a path may pass through nodes that are not
    kept, so that nodes that the pooling has parted are still candidates. Differs from the authors' code: paths
    have up to `num_hops` edges, where theirs, by squaring the neighborhood twice, have 4 and not 3.

    The pairs are the entries of a power of the sparse adjacency, and memory grows with their number. It depends on the
    edges: **on an accelerator the host waits** several times for it. `all_pairs` does not.

    Attributes:
        num_hops: edges of the longest path, at least 1.
    """

    num_hops: int = 3

    def __post_init__(self) -> None:
        if self.num_hops < 1:
            raise ValueError(f"num_hops is {self.num_hops}; give at least 1 edge between two nodes")

    def __call__(self, subgraph: InducedSubgraph, dtype: torch.dtype) -> CandidatePairs:
        """Return the pairs, with the adjacency as numbers of that type."""
        target, source = _within(subgraph, self.num_hops)
        num_kept = subgraph.num_kept
        keys = target * num_kept + source
        from_node, to_node = subgraph.edge_index
        wanted = to_node * num_kept + from_node
        pair = torch.searchsorted(keys, wanted)
        # an edge of weight 0 is no hop, so that its pair may be missing
        pair = pair.clamp(max=max(len(keys) - 1, 0))
        weight = _weights(subgraph, dtype) * (keys.index_select(0, pair) == wanted)
        adjacency = torch.zeros(len(keys), dtype=dtype, device=keys.device).index_add(0, pair, weight)
        return CandidatePairs(target, source, adjacency)


def _within(subgraph: InducedSubgraph, num_hops: int) -> Tensor:
    """Return the pairs (2, num_pairs) as (i, j) of kept nodes with a path of few edges from j to i, by i and then j.

    They are where ``(A + I)^num_hops`` is not 0, whose entries count walks that may stay where they are.
    """
    number, kept = subgraph.new_number, subgraph.kept
    num_nodes, num_kept = len(number), len(kept)
    from_node, to_node = subgraph.whole_edge_index
    if subgraph.whole_edge_weight is not None:
        there = torch.nonzero(subgraph.whole_edge_weight > 0).squeeze(1)
        from_node, to_node = from_node.index_select(0, there), to_node.index_select(0, there)
    nodes = torch.arange(num_nodes, device=number.device)
    rows, columns = torch.cat((to_node, nodes)), torch.cat((from_node, nodes))
    one_hop = _ones(rows, columns, (num_nodes, num_nodes))
    ends = number.index_select(0, columns)
    at_kept = torch.nonzero(ends >= 0).squeeze(1)
    last_hop = _ones(rows.index_select(0, at_kept), ends.index_select(0, at_kept), (num_nodes, num_kept))
    paths = _ones(nodes[:num_kept], kept, (num_kept, num_nodes))
    with warnings.catch_warnings():  # torch's product makes use of a format that it calls young
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        for _ in range(num_hops - 1):
            paths = torch.sparse.mm(paths, one_hop)
        pairs: Tensor = torch.sparse.mm(paths, last_hop).coalesce().indices()
    return pairs


def _ones(rows: Tensor, columns: Tensor, shape: tuple[int, int]) -> Tensor:
    """Return the sparse matrix with a 1 at each of the places, which may be there twice."""
    order = stable_order(rows * shape[1] + columns)
    places = torch.stack((rows.index_select(0, order), columns.index_select(0, order)))
    ones = torch.ones(len(order), device=order.device)
    # two entries at one place are as good as their sum
    return torch.sparse_coo_tensor(places, ones, shape, check_invariants=False, is_coalesced=True)


def _weights(subgraph: InducedSubgraph, dtype: torch.dtype) -> Tensor:
    if subgraph.edge_weight is None:
        return torch.ones(subgraph.edge_index.shape[1], dtype=dtype, device=subgraph.kept.device)
    return subgraph.edge_weight.to(dtype)
