"""Which pairs of kept nodes may be joined by a learnt edge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from gnn_space.pooling.induced_subgraph import InducedSubgraph


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

    The memory grows with the number of pairs within hops times the mean degree, by joins of lists of edges. How many
    pairs there are depends on the edges: **on an accelerator the host waits** several times for their number.
    `all_pairs` does not.

    Attributes:
        num_hops: edges of the longest path, at least 1.
    """

    num_hops: int = 3

    def __post_init__(self) -> None:
        if self.num_hops < 1:
            raise ValueError(f"num_hops is {self.num_hops}; give at least 1 edge between two nodes")

    def __call__(self, subgraph: InducedSubgraph, dtype: torch.dtype) -> CandidatePairs:
        """Return the pairs, with the adjacency as numbers of that type."""
        num_kept = max(subgraph.num_kept, 1)
        keys = _reached(subgraph, self.num_hops)
        from_node, to_node = subgraph.edge_index
        wanted = to_node * num_kept + from_node
        pair = torch.searchsorted(keys, wanted)
        # an edge of weight 0 is no hop, so that its pair may be missing
        pair = pair.clamp(max=max(len(keys) - 1, 0))
        weight = _weights(subgraph, dtype) * (keys.index_select(0, pair) == wanted)
        adjacency = torch.zeros(len(keys), dtype=dtype, device=keys.device).index_add(0, pair, weight)
        return CandidatePairs(keys // num_kept, keys % num_kept, adjacency)


def _reached(subgraph: InducedSubgraph, num_hops: int) -> Tensor:
    """Return ``i * num_kept + j`` for all kept i and j with a path of few edges from j to i, rising."""
    number, num_nodes = subgraph.new_number, max(len(subgraph.new_number), 1)
    from_node, to_node = subgraph.whole_edge_index
    if subgraph.whole_edge_weight is not None:
        there = torch.nonzero(subgraph.whole_edge_weight > 0).squeeze(1)
        from_node, to_node = from_node.index_select(0, there), to_node.index_select(0, there)
    to_node, order = torch.sort(to_node)
    from_node = from_node.index_select(0, order)
    bounds = torch.searchsorted(to_node, torch.arange(len(number) + 1, device=number.device))
    first_edge, num_edges = bounds[:-1], bounds.diff()

    reached = torch.arange(subgraph.num_kept, device=number.device) * num_nodes + subgraph.kept
    frontier = reached  # what the last hop reached first
    for hop in range(num_hops):
        node = frontier % num_nodes
        fan = num_edges.index_select(0, node)
        walk = torch.repeat_interleave(torch.arange(len(frontier), device=number.device), fan)
        # the edges into a node are neighbors in the sorted list
        shift = first_edge.index_select(0, node) - (fan.cumsum(0) - fan)
        edge = torch.arange(len(walk), device=number.device) + shift.index_select(0, walk)
        ends = from_node.index_select(0, edge)
        found = (frontier - node).index_select(0, walk) + ends
        if hop == num_hops - 1:
            found = found[number.index_select(0, ends) >= 0]
        found = torch.unique(found)
        place = torch.searchsorted(reached, found).clamp(max=max(len(reached) - 1, 0))
        frontier = found[reached.index_select(0, place) != found]
        reached = torch.sort(torch.cat((reached, frontier))).values
    column = number.index_select(0, reached % num_nodes)
    inside = column >= 0
    return ((reached // num_nodes) * max(subgraph.num_kept, 1) + column)[inside]


def _weights(subgraph: InducedSubgraph, dtype: torch.dtype) -> Tensor:
    if subgraph.edge_weight is None:
        return torch.ones(subgraph.edge_index.shape[1], dtype=dtype, device=subgraph.kept.device)
    return subgraph.edge_weight.to(dtype)
