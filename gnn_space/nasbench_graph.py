"""The space of NAS-Bench-Graph (Qin et al. 2022, arXiv:2206.09166): 26,206 distinct networks of graph convolutions."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, MinLen, MultipleOf

from gnn_space.operation_tree import canonical_form
from nas_core.architecture import Architecture, Choice
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "nasbench_graph"
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "identity")
IDENTITY = OPERATIONS.index("identity")
MACROS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
"""For each operation the number of the one whose output it takes, counted from 1; 0 is the input."""

LINKS = tuple(tuple(map(int, macro)) for macro in MACROS)
NUM_OPERATIONS = 4
NUM_HEADS = 4
"""Heads of gat, which share the features of a node."""

NEEDED = ("gcn", "identity")
"""What the reference is made of."""


@dataclass(frozen=True)
class NASBenchGraph:
    """Four operations in a tree, which takes the features of nodes and whose leaves are joined and classified.

    Attributes:
        operations: those to choose from, in the benchmark's order; the benchmark has fewer for some data sets.
        width: features of a node after each operation, a multiple of `NUM_HEADS`.
        preprocessing: whether a linear layer makes `width` features of the input first.
        postprocessing: whether the joined leaves become `width` features before they become classes.
    """

    operations: tuple[str, ...] = OPERATIONS
    width: int = 64
    preprocessing: bool = False
    postprocessing: bool = True

    def __post_init__(self) -> None:
        if tuple(operation for operation in OPERATIONS if operation in self.operations) != self.operations:
            raise ValueError(
                f"operations are {', '.join(self.operations)}; give each once, out of and in the order of "
                f"{', '.join(OPERATIONS)}"
            )
        missing = [operation for operation in NEEDED if operation not in self.operations]
        if missing:
            raise ValueError(f"operations lack {', '.join(missing)}, of which the reference is made; add them")
        if self.width < 1 or self.width % NUM_HEADS:
            raise ValueError(f"width is {self.width}; give a positive multiple of {NUM_HEADS}, the heads of gat")

    @property
    def name(self) -> str:
        """Name of the space, the same for every width."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take: a graph whose nodes are classified."""
        return "nodes"

    @functools.cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The tree, and the operation of each of its nodes."""
        names = [f"operation_{number}" for number in range(1, NUM_OPERATIONS + 1)]
        return Choice("macro", MACROS), *(Choice(name, self.operations, group="operations") for name in names)

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether the architecture has a tree and four operations, of which one does something."""
        decisions = architecture.decisions
        if architecture.space != NAME or len(decisions) != len(self.choices):
            return False
        inside = all(0 <= place < len(choice.options) for place, choice in zip(decisions, self.choices, strict=True))
        return inside and any(self.operations[decision] != "identity" for decision in decisions[1:])

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the one that the benchmark trained of all that it calls the same network; see `canonical_form`."""
        macro, *decisions = architecture.decisions
        place, operations = _canonical(macro, tuple(OPERATIONS.index(self.operations[number]) for number in decisions))
        return self._architecture(MACROS[place], [OPERATIONS[number] for number in operations])

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best option of every choice; a tie goes to the first option.

        Where all four operations are the identity, the one that loses least by it becomes another.
        """
        decisions = [max(range(len(row)), key=row.__getitem__) for row in scores]
        architecture = Architecture(NAME, tuple(decisions))
        if self.is_valid(architecture):
            return architecture
        identity = self.operations.index("identity")
        changes = [
            (place, number)
            for place in range(1, len(decisions))
            for number in range(len(self.operations))
            if number != identity
        ]
        place, number = max(changes, key=lambda change: scores[change[0]][change[1]] - scores[change[0]][identity])
        decisions[place] = number
        return Architecture(NAME, tuple(decisions))

    def reference(self) -> Architecture:
        """Return the network of two GCN layers (Kipf & Welling 2017, arXiv:1609.02907)."""
        return self._architecture("0123", ["identity", "identity", "gcn", "gcn"])

    def to_name(self, architecture: Architecture) -> str:
        """Return the tree and its operations as text, as ``0112-gcn-gin-fc-identity``.

        The first node's operation comes first. The benchmark writes the same as two lists, and calls identity skip.
        """
        macro, *decisions = architecture.decisions
        return "-".join([MACROS[macro], *(self.operations[number] for number in decisions)])

    def from_name(self, name: str) -> Architecture:
        """Return the architecture of a text as `to_name` writes it.

        Raises:
            ValueError: it names no member of this space.
        """
        macro, *operations = name.split("-")
        known = macro in MACROS and len(operations) == NUM_OPERATIONS and set(operations) <= set(self.operations)
        if not known or set(operations) == {"identity"}:
            raise ValueError(
                f"{name!r} names no network of NAS-Bench-Graph; write macro-op-op-op-op with macro one of "
                f"{', '.join(MACROS)} and op one of {', '.join(self.operations)}, not all identity"
            )
        return self._architecture(macro, operations)

    def cell_graph(self, architecture: Architecture) -> tuple[tuple[float, ...], ...]:
        """Return (6, 6 + 11): the input, the operations and the output of the canonical form; see `HasCellGraph`.

        Labels are input, output, then all of `OPERATIONS`; leaves lead to the output. Identities stay.
        """
        macro, *decisions = self.canonical(architecture).decisions
        links, last = LINKS[macro], NUM_OPERATIONS + 1
        edges = {(link, number) for number, link in enumerate(links, start=1)}
        edges |= {(number, last) for number in range(1, last) if number not in links}
        labels = (0, *(OPERATIONS.index(self.operations[decision]) + 2 for decision in decisions), 1)
        return tuple(
            (
                *(float((i, j) in edges) for j in range(last + 1)),
                *(float(labels[i] == label) for label in range(len(OPERATIONS) + 2)),
            )
            for i in range(last + 1)
        )

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> NASBenchGraph:
        """Return the space with `width` times the features, rounded up to a multiple of `NUM_HEADS`.

        The depth is what is searched, so that `depth` changes nothing.
        """
        return replace(self, width=NUM_HEADS * max(1, math.ceil(round(self.width * width / NUM_HEADS, 9))))

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized network of the canonical form, on the CPU; see `TreeNetwork`.

        Raises:
            ValueError: the architecture is no member, or the task is not classification of nodes by features.
        """
        from gnn_space.networks.initialization import initialized
        from gnn_space.networks.tree_network import TreeNetwork

        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no member of {NAME}; give 5 decisions, not all of them identity")
        macro, *decisions = self.canonical(architecture).decisions

        def make() -> TreeNetwork:
            return TreeNetwork(
                task,
                links=LINKS[macro],
                operations=[self.operations[number] for number in decisions],
                width=self.width,
                preprocessing=self.preprocessing,
                postprocessing=self.postprocessing,
            )

        return initialized(make, init)

    def _architecture(self, macro: str, operations: Sequence[str]) -> Architecture:
        return Architecture(NAME, (MACROS.index(macro), *map(self.operations.index, operations)))


def build(
    *,
    operations: Annotated[tuple[str, ...], MinLen(2)] = OPERATIONS,
    width: Annotated[int, Ge(NUM_HEADS), MultipleOf(NUM_HEADS)] = 64,
    preprocessing: bool = False,
    postprocessing: bool = True,
) -> NASBenchGraph:
    """Return the space; it has no supernet, so that strategies that share weights do not go with it.

    The benchmark trained with a width of 256, no preprocessing and postprocessing for Cora and CiteSeer; of 128, none
    and none for PubMed; 128, preprocessing and none for CS; 128, none and postprocessing for arXiv; 256 and both for
    proteins, where the operations are gcn, sage, arma, fc and identity alone.
    """
    return NASBenchGraph(tuple(operations), width, preprocessing, postprocessing)


@functools.cache
def _canonical(macro: int, operations: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return the number of the tree and the operations of the canonical form."""
    links, found = canonical_form(LINKS[macro], operations, IDENTITY)
    return LINKS.index(links), found
