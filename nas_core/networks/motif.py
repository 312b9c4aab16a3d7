"""Motifs, of which hierarchical representations are made: graphs with a label on every edge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NONE = 0
"""The label of an edge that is not there."""

PRIMITIVES = (
    "none",
    "conv_1x1",
    "depthwise_conv_3x3",
    "separable_conv_3x3",
    "max_pool_3x3",
    "avg_pool_3x3",
    "identity",
)
"""What the labels of motifs of the lowest level stand for."""


def edges(num_nodes: int) -> tuple[tuple[int, int], ...]:
    """Return the edges (from, to) of a motif, by target node and then by source node."""
    return tuple((source, target) for target in range(1, num_nodes) for source in range(target))


@dataclass(frozen=True, slots=True)
class Motif:
    """A directed acyclic graph from node 0 to the last node (Liu et al. 2018, arXiv:1711.00436).

    Attributes:
        num_nodes: at least 2.
        labels: for each edge, in the order of `edges`, what is on it; 0 is none.
    """

    num_nodes: int
    labels: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.num_nodes < 2 or len(self.labels) != len(edges(self.num_nodes)):
            raise ValueError(f"{self} is no motif; give a label for each edge among at least two nodes")

    @property
    def is_empty(self) -> bool:
        """Whether nothing leads from the first node to the last."""
        return not any(self.pruned().labels)

    def incoming(self, node: int) -> tuple[tuple[int, int], ...]:
        """Return (source, label) of the edges to a node that are there."""
        start = node * (node - 1) // 2
        return tuple((source, label) for source, label in enumerate(self.labels[start : start + node]) if label)

    def pruned(self) -> Motif:
        """Return the motif without edges that are on no path from the first node to the last."""
        there = [
            (source, target)
            for (source, target), label in zip(edges(self.num_nodes), self.labels, strict=True)
            if label
        ]
        reached, leading = {0}, {self.num_nodes - 1}
        for source, target in there:
            if source in reached:
                reached.add(target)
        for source, target in reversed(there):
            if target in leading:
                leading.add(source)
        return Motif(
            self.num_nodes,
            tuple(
                label if source in reached and target in leading else NONE
                for (source, target), label in zip(edges(self.num_nodes), self.labels, strict=True)
            ),
        )

    def relabeled(self, new: Sequence[int]) -> Motif:
        """Return the motif with ``new[label]`` in place of each label."""
        return Motif(self.num_nodes, tuple(new[label] for label in self.labels))


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A cell whose edges are motifs, whose edges are primitive operations.

    Attributes:
        motifs: their labels are primitives.
        cell: its labels are motifs, counted from 1.
    """

    motifs: tuple[Motif, ...]
    cell: Motif

    def live_cell(self) -> Motif:
        """Return the cell without motifs that lead nowhere, and without what then is on no path."""
        kept = [NONE, *(NONE if motif.is_empty else label for label, motif in enumerate(self.motifs, start=1))]
        return self.cell.relabeled(kept).pruned()

    def canonical(self) -> Hierarchy:
        """Return the hierarchy without dead edges and unused motifs, motifs numbered as they first occur in the cell.

        Motifs that are the same but for dead edges become one. The order of nodes stays, since channels are
        concatenated in it.
        """
        cell, pruned = self.live_cell(), [motif.pruned() for motif in self.motifs]
        used = list(dict.fromkeys(pruned[label - 1] for label in cell.labels if label))
        unused = [Motif(motif.num_nodes, (NONE,) * len(motif.labels)) for motif in pruned[len(used) :]]
        new = [NONE, *(used.index(motif) + 1 if motif in used else NONE for motif in pruned)]
        return Hierarchy((*used, *unused), cell.relabeled(new))
