"""Hierarchical representations (Liu et al. 2018, arXiv:1711.00436): a cell of motifs of primitive operations.

At the lowest of three levels are primitive operations. At the second, a few motifs: small graphs with a primitive on
every edge. At the third, the cell: a graph with a motif on every edge. The paper's sizes, which are the defaults, are
six motifs of 4 nodes and a cell of 5 nodes: 36 edges with one of 6 primitives or none, and 10 edges with one of 6
motifs or none, 7^46 codes.

A change of one edge at any level is the variation of all spaces, and the paper's mutation too.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas_core.architecture import Architecture, Choice
from nas_core.networks.motif import NONE, PRIMITIVES, Hierarchy, Motif, edges
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "hierarchical"
SEPARABLE, IDENTITY = PRIMITIVES.index("separable_conv_3x3"), PRIMITIVES.index("identity")


@dataclass(frozen=True)
class Hierarchical:
    """The cells of motifs of given sizes, in a skeleton of a given size.

    A member is any code in which something leads from the input of the cell to its output.

    Attributes:
        num_motifs: motifs of primitives.
        motif_nodes: nodes of each of them, at least 2.
        cell_nodes: nodes of the cell, at least 2.
        channels: of convolutions of the first stage; each further stage doubles them. The paper evolves with 16 and
            trains what it found with 64 and 128.
        cells_per_stage: copies of the cell in each stage; the paper evolves with 1 and trains what it found with 2.
        num_stages: stages.
    """

    num_motifs: int = 6
    motif_nodes: int = 4
    cell_nodes: int = 5
    channels: int = 16
    cells_per_stage: int = 1
    num_stages: int = 3

    def __post_init__(self) -> None:
        if min(self.motif_nodes, self.cell_nodes) < 2:
            raise ValueError(
                f"motif_nodes is {self.motif_nodes} and cell_nodes {self.cell_nodes}; give at least 2 of each, the "
                "first and the last"
            )
        if min(self.num_motifs, self.channels, self.cells_per_stage, self.num_stages) < 1:
            raise ValueError(
                f"{self} is not a space; num_motifs, channels, cells_per_stage and num_stages are at least 1"
            )

    @property
    def name(self) -> str:
        """Name of the space, the same for all sizes."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take."""
        return "images"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """One choice an edge: first those of the motifs, then those of the cell, by target node and source node."""
        return _choices(self.num_motifs, self.motif_nodes, self.cell_nodes)

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether something leads from the input of the cell to its output."""
        made, choices = architecture.decisions, self.choices
        if architecture.space != NAME or len(made) != len(choices):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(made, choices, strict=True)):
            return False
        return any(self._hierarchy(made).live_cell().labels)

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the code without dead edges and unused motifs, motifs numbered as they first occur in the cell.

        Motifs that are the same are one in it. It does not see that the order of nodes does not matter, nor that a node
        with nothing but an identity is its source.
        """
        return self._architecture(self._hierarchy(architecture.decisions).canonical())

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best labels; where they lead nowhere, the same with an edge from the input straight to the output.

        That edge has the best motif of those that lead somewhere; if there is none, the best of all, which gets an edge
        straight through it with its best primitive.
        """
        made = [max(range(len(row)), key=row.__getitem__) for row in scores]
        best = Architecture(NAME, tuple(made))
        if self.is_valid(best):
            return best
        motifs = self._hierarchy(made).motifs
        straight = len(made) - (self.cell_nodes - 1)
        living = [label for label, motif in enumerate(motifs, start=1) if not motif.is_empty]
        made[straight] = max(living or range(1, self.num_motifs + 1), key=scores[straight].__getitem__)
        if not living:
            through = made[straight] * len(edges(self.motif_nodes)) - (self.motif_nodes - 1)
            made[through] = max(range(1, len(PRIMITIVES)), key=scores[through].__getitem__)
        return Architecture(NAME, tuple(made))

    def reference(self) -> Architecture:
        """Return a chain of one motif, which is a chain of separable convolutions beside the identity."""
        motif = self._chain(self.motif_nodes, SEPARABLE, IDENTITY if self.motif_nodes > 2 else SEPARABLE)
        empty = Motif(self.motif_nodes, (NONE,) * len(edges(self.motif_nodes)))
        cell = self._chain(self.cell_nodes, 1, NONE if self.cell_nodes > 2 else 1)
        return self._architecture(Hierarchy((motif, *(empty,) * (self.num_motifs - 1)), cell))

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> Hierarchical:
        """Return the space with channels times `width` and cells a stage times `depth`, rounded up, at least 1."""
        return replace(
            self,
            channels=max(1, math.ceil(round(self.channels * width, 9))),
            cells_per_stage=max(1, math.ceil(round(self.cells_per_stage * depth, 9))),
        )

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized network of a hierarchy, on the CPU.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        from nas_core.networks.initialization import initialized
        from nas_core.networks.motif_network import MotifNetwork

        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no member of space {NAME!r}; let motifs and cell lead somewhere")
        hierarchy = self._hierarchy(architecture.decisions).canonical()

        def make() -> nn.Module:
            return MotifNetwork(
                task,
                hierarchy,
                channels=self.channels,
                num_stages=self.num_stages,
                cells_per_stage=self.cells_per_stage,
            )

        return initialized(make, init)

    def _chain(self, num_nodes: int, label: int, straight: int) -> Motif:
        """Return the motif with a label on the edges between neighbors, and another from the first to the last node."""
        return Motif(
            num_nodes,
            tuple(
                straight if (source, target) == (0, num_nodes - 1) else label if target == source + 1 else NONE
                for source, target in edges(num_nodes)
            ),
        )

    def _hierarchy(self, decisions: Sequence[int]) -> Hierarchy:
        size = len(edges(self.motif_nodes))
        end = self.num_motifs * size
        motifs = tuple(Motif(self.motif_nodes, tuple(decisions[start : start + size])) for start in range(0, end, size))
        return Hierarchy(motifs, Motif(self.cell_nodes, tuple(decisions[end:])))

    def _architecture(self, hierarchy: Hierarchy) -> Architecture:
        return Architecture(
            NAME, (*(label for motif in hierarchy.motifs for label in motif.labels), *hierarchy.cell.labels)
        )


def build(
    *,
    num_motifs: Annotated[int, Ge(1)] = 6,
    motif_nodes: Annotated[int, Ge(2)] = 4,
    cell_nodes: Annotated[int, Ge(2)] = 5,
    channels: Annotated[int, Ge(1)] = 16,
    cells_per_stage: Annotated[int, Ge(1)] = 1,
    num_stages: Annotated[int, Ge(1)] = 3,
) -> Hierarchical:
    """Return the space of the given sizes; the defaults are those with which the paper searches on CIFAR-10."""
    return Hierarchical(num_motifs, motif_nodes, cell_nodes, channels, cells_per_stage, num_stages)


@functools.lru_cache(maxsize=16)
def _choices(num_motifs: int, motif_nodes: int, cell_nodes: int) -> tuple[Choice, ...]:
    """Return the choices; kept, since they are asked for at every step."""
    motifs = [f"motif{number}" for number in range(1, num_motifs + 1)]
    parts = [(motif, motif_nodes, PRIMITIVES) for motif in motifs]
    return tuple(
        Choice(f"{part}.{source}->{target}", options, group=part)
        for part, num_nodes, options in [*parts, ("cell", cell_nodes, ("none", *motifs))]
        for source, target in edges(num_nodes)
    )
