"""The pooling of a block, and the mixture of several poolings."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.selection import Options, Selection, Weighted, key, product, times
from gnn_space.networks.vocabulary import NO_POOLING, RATIO_POOLINGS, STRUCTURE_POOLING, BlockNames
from gnn_space.pooling.named import pooling
from gnn_space.pooling.pooled import Pooled

if TYPE_CHECKING:
    from gnn_space.pooling.hgpsl import Structure


@dataclass(frozen=True, eq=False)
class Nodes:
    """The nodes that are there after a pooling.

    Attributes:
        graphs: they, with their features and edges.
        presence: how much of each is there (num_nodes,), from 0 to 1; None is all of each.
        kept: (num_nodes,) for each its number before the pooling; None if they are all as they were.
    """

    graphs: GraphBatch
    presence: Tensor | None
    kept: Tensor | None

    def kept_rows(self, values: Tensor) -> Tensor:
        """Return the values (num_nodes, ...) of these nodes, out of those of all nodes before the pooling."""
        return values if self.kept is None else values.index_select(0, self.kept)


class MixedPooling(nn.Module):
    """The poolings of a block, of which one runs as it is, and several are mixed on the nodes that any of them keeps.

    An option p is a pooling with its ratio and its way of learning edges, its gate g_p the product of the three gates.
    Where one option alone is run the nodes that it drops are gone, and the features of the others are multiplied by
    g_p. Where several are run, the mixture lives on the union of the nodes that they keep:

        features   x_i = sum_p g_p x_i^p    x^p the features that p gives, 0 for the nodes that it drops
        presence   s_i = s_i' sum_p g_p [p keeps i]    s' the presence before
        edges      a_ij = sum_p g_p a_ij^p    a^p the weights of the edges that p gives, 0 for no edge

    so that a node counts in later readouts and normalizations by its presence, and an edge in later convolutions by the
    gates of the poolings that keep it. Neither depends on the order of the options, each pair of nodes has one edge at
    most, and gates that leave one option its whole weight give what that option gives, with the dropped nodes present
    to a degree of 0 in place of being gone; only a further pooling, which counts nodes, tells the two apart.

    Args:
        names: of the block's choices.
        options: that there are.
        channels: channels of the features.
    """

    def __init__(self, names: BlockNames, options: Options, channels: int) -> None:
        super().__init__()
        self.names = names
        self.poolings = nn.ModuleDict()
        every = {name: tuple(Weighted(option, None) for option in found) for name, found in options.items()}
        for name, ratio, structure, _ in _combinations(names, every):
            if name != NO_POOLING:
                learnt = cast("Structure", structure or "none")
                made = pooling(name, channels, ratio=float(ratio or 1), structure=learnt)
                self.poolings[_key(name, ratio, structure)] = made

    def forward(self, graphs: GraphBatch, presence: Tensor | None, selection: Selection) -> Nodes:
        """Return the nodes that are left of the graphs."""
        options = list(_combinations(self.names, selection))
        if len(options) == 1:
            return self._single(graphs, presence, *options[0])
        return self._mixture(graphs, presence, options)

    def _single(
        self,
        graphs: GraphBatch,
        presence: Tensor | None,
        name: str,
        ratio: str | None,
        structure: str | None,
        weight: Tensor | None,
    ) -> Nodes:
        if name == NO_POOLING:
            return Nodes(replace(graphs, x=times(weight, graphs.x)), presence, None)
        pooled: Pooled = self.poolings[_key(name, ratio, structure)](graphs)
        left = replace(pooled.graphs, x=times(weight, pooled.graphs.x))
        return Nodes(left, None if presence is None else presence[pooled.kept], pooled.kept)

    def _mixture(
        self,
        graphs: GraphBatch,
        presence: Tensor | None,
        options: list[tuple[str, str | None, str | None, Tensor | None]],
    ) -> Nodes:
        everything = torch.arange(graphs.num_nodes, device=graphs.device)
        made: list[tuple[Tensor | None, Pooled]] = []
        for name, ratio, structure, weight in options:
            if name == NO_POOLING:
                made.append((weight, Pooled(graphs, everything)))
            else:
                made.append((weight, self.poolings[_key(name, ratio, structure)](graphs)))
        inside = torch.zeros(graphs.num_nodes, dtype=torch.bool, device=graphs.device)
        for _, pooled in made:
            inside[pooled.kept] = True
        kept = inside.nonzero().squeeze(1)
        place = torch.empty_like(everything)
        place[kept] = torch.arange(kept.shape[0], device=graphs.device)
        batch = graphs.batch[kept]
        x = graphs.x.new_zeros(kept.shape[0], graphs.x.shape[1])
        present = graphs.x.new_zeros(kept.shape[0])
        for weight, pooled in made:
            index = place[pooled.kept]
            ones = pooled.graphs.x.new_ones(index.shape[0])
            x = x.index_add(0, index, times(weight, pooled.graphs.x))
            present = present.index_add(0, index, times(weight, ones))
        edge_index, edge_weight = _mixed_edges(made, place, kept.shape[0])
        sizes = torch.bincount(batch, minlength=graphs.num_graphs).cpu()
        left = GraphBatch(x, edge_index, sizes, batch, edge_weight)
        return Nodes(left, present if presence is None else present * presence[kept], kept)


def _mixed_edges(made: list[tuple[Tensor | None, Pooled]], place: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Return the edges of the mixture and their weights, by source and then by target."""
    pairs, weights = [], []
    for weight, pooled in made:
        graphs = pooled.graphs
        source, target = place[pooled.kept[graphs.edge_index]]
        own = graphs.x.new_ones(source.shape[0]) if graphs.edge_weight is None else graphs.edge_weight
        pairs.append(source * num_nodes + target)
        weights.append(times(weight, own))
    found, inverse = torch.unique(torch.cat(pairs), return_inverse=True)
    values = torch.cat(weights)
    total = values.new_zeros(found.shape[0]).index_add(0, inverse, values)
    return torch.stack([found // max(1, num_nodes), found % max(1, num_nodes)]), total


def _combinations(
    names: BlockNames, selection: Selection
) -> Iterator[tuple[str, str | None, str | None, Tensor | None]]:
    """Yield (pooling, ratio, structure, weight) of each option; a pooling without ratio or structure has None."""
    nothing = (None,)
    for chosen in selection[names.pooling]:
        ratios = selection[names.ratio] if chosen.option in RATIO_POOLINGS else nothing
        structures = selection[names.structure] if chosen.option == STRUCTURE_POOLING else nothing
        for ratio, structure in itertools.product(ratios, structures):
            made = [each for each in (chosen, ratio, structure) if each is not None]
            yield (
                chosen.option,
                None if ratio is None else ratio.option,
                None if structure is None else structure.option,
                product(*(each.weight for each in made)),
            )


def _key(name: str, ratio: str | None, structure: str | None) -> str:
    return "-".join(key(part) for part in (name, ratio, structure) if part is not None)
