"""Edges that should not be there, as if strangers had been taken for neighbors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from nas_core.robustness.severity import at_severity

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_space.graph_batch import GraphBatch

FAMILY = "structure"
# edges that come, as a share of those that there are; no standard is published, and the shares are those of drop_edges,
# so that the two compare
SEVERITIES = (0.05, 0.1, 0.2, 0.3, 0.4)
# a graph that is nearly complete has few pairs left to join: at most half of them are, lest it become complete
HIGHEST_PROBABILITY = 0.5


def shift(graphs: GraphBatch, severity: int, generator: torch.Generator) -> GraphBatch:
    """Return the graphs with more edges, of weight 1: each pair of unjoined nodes of a graph is joined by chance.

    The probability is the same for all pairs of a graph, so that its edges grow by the severity's share in expectation:
    q = min(share * edges / unjoined pairs, 1/2). New edges join two different nodes of one graph, in both directions,
    and none is there twice; a graph without edges gets none. Random edges, as in the edge perturbation of You et al.
    (2020, arXiv:2010.13902).

    The pairs are drawn without listing them: each is hit a Poisson number of times with mean -log(1 - q), and joined if
    hit at all, which has probability q. The hits of a graph are one Poisson number, spread evenly over its pairs.

    Args:
        graphs: any batch.
        severity: 1 to 5.
        generator: source of randomness, on the CPU.
    """
    share = at_severity(SEVERITIES, severity)
    sizes = graphs.sizes
    joined, graph_of_joined = _joined_pairs(graphs)
    num_joined = torch.bincount(graph_of_joined, minlength=len(sizes))
    num_unjoined = sizes * (sizes - 1) // 2 - num_joined
    probability = (share * num_joined.double() / num_unjoined.clamp(min=1)).clamp(max=HIGHEST_PROBABILITY)
    num_hits = torch.poisson(-torch.log1p(-probability) * num_unjoined, generator=generator).long()
    graph = torch.repeat_interleave(torch.arange(len(sizes)), num_hits)
    draws = torch.rand(len(graph), generator=generator, dtype=torch.float64)
    places = (draws * num_unjoined[graph]).long().clamp(max=num_unjoined[graph] - 1)
    pairs = _unjoined_pairs(places, graph, num_unjoined, joined, graph_of_joined, num_joined)
    first = sizes.cumsum(0) - sizes
    ends = torch.unique(torch.stack(_nodes(pairs)) + first[graph], dim=1)
    added = torch.cat([ends, ends.flip(0)], dim=1).to(graphs.device)
    weight = graphs.edge_weight
    return replace(
        graphs,
        edge_index=torch.cat([graphs.edge_index, added], dim=1),
        edge_weight=None if weight is None else torch.cat([weight, weight.new_ones(added.shape[1])]),
    )


def _joined_pairs(graphs: GraphBatch) -> tuple[Tensor, Tensor]:
    """Return the pairs of nodes that edges join and their graphs, each (num,) int64 on the CPU, in rising order.

    Pairs are numbers: the nodes i < j of a graph, counted within it, are j (j - 1) / 2 + i.
    """
    edges = graphs.edge_index.cpu()
    edges = edges[:, edges[0] != edges[1]]
    graph = graphs.batch.cpu()[edges[0]]
    first = graphs.sizes.cumsum(0) - graphs.sizes
    low, high = edges.amin(dim=0) - first[graph], edges.amax(dim=0) - first[graph]
    graph, pair = torch.unique(torch.stack([graph, high * (high - 1) // 2 + low]), dim=1)
    return pair, graph


def _unjoined_pairs(
    places: Tensor, graph: Tensor, num_unjoined: Tensor, joined: Tensor, graph_of_joined: Tensor, num_joined: Tensor
) -> Tensor:
    """Return the pairs at some places among the pairs that no edge joins, counted within each graph (num,) int64.

    The t-th joined pair p of a graph has p - t unjoined ones before it. So the pair at a place is the place plus the
    number of joined pairs with no more unjoined ones before them than that.

    Args:
        places: (num,), 0 to the graph's unjoined pairs less 1.
        graph: of each place (num,).
        num_unjoined: by graph.
        joined: numbers of the joined pairs, rising in each graph.
        graph_of_joined: of each.
        num_joined: by graph.
    """
    # all graphs one after the other: those before a graph have fewer unjoined pairs before them than any place in it
    unjoined_before = num_unjoined.cumsum(0) - num_unjoined
    joined_before = num_joined.cumsum(0) - num_joined
    rank = torch.arange(len(joined)) - joined_before[graph_of_joined]
    thresholds = unjoined_before[graph_of_joined] + joined - rank
    num_passed = torch.searchsorted(thresholds, unjoined_before[graph] + places, right=True)
    return places + num_passed - joined_before[graph]


def _nodes(pairs: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nodes i < j of pairs (num,) int64."""
    high = ((1 + (8 * pairs.double() + 1).sqrt()) / 2).long()
    # the root may be rounded across a whole number
    high = torch.where(high * (high - 1) // 2 > pairs, high - 1, high)
    high = torch.where((high + 1) * high // 2 <= pairs, high + 1, high)
    return pairs - high * (high - 1) // 2, high
