"""Cartesian genetic programs of convolution blocks (Suganuma, Shirakawa & Nagao 2017, arXiv:1704.00764).

A program is a grid of nodes. A node has three genes: a function, and two connections to nodes of the columns shortly
before it or to the image, of which a function of one input uses only the first. The output has one gene, the node whose
result is classified. Nodes on which the output does not depend are inactive: the network is without them, but their
genes may change unseen (neutral drift).

A change of a gene at random, of those that matter or not, is the variation of all spaces. The paper's own mutation
(several genes at a rate, again until an active one has changed, and neutral mutation of a parent that was not improved
on, in a (1 + lambda) evolution strategy) is a search method; this is the space alone.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, get_args

from annotated_types import Ge

from nas_core.architecture import Architecture, Choice
from nas_core.networks.cartesian_program import BlockName, Function, Grid, Step, active_nodes, function_set
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "cgp"
NUM_GENES = 3
"""Of a node: the function and two connections."""

MOST_POOLINGS = 3
"""Of the hand-designed reference."""


@dataclass(frozen=True)
class CartesianPrograms:
    """The programs on a grid, with one set of functions.

    A member has as many active nodes as the limits say. The paper's limits, 10 and 50, belong to its grid of 5 by 30.

    Attributes:
        grid: rows, columns and levels back.
        functions: of the nodes.
        min_active: least number of active nodes.
        max_active: largest number of active nodes.
        width: factor of the filters of all blocks.
        depth: how often each block is repeated.
    """

    grid: Grid
    functions: tuple[Function, ...]
    min_active: int
    max_active: int
    width: float = 1.0
    depth: float = 1.0

    def __post_init__(self) -> None:
        grid = self.grid
        if min(grid.rows, grid.columns, grid.levels_back) < 1 or grid.levels_back > grid.columns:
            raise ValueError(
                f"rows are {grid.rows}, columns {grid.columns} and levels_back {grid.levels_back}; each is at least 1, "
                "and levels_back at most columns"
            )
        if not 1 <= max(self.min_active, grid.least_length) <= min(self.max_active, grid.columns):
            raise ValueError(
                f"min_active is {self.min_active} and max_active {self.max_active}; let a chain of so many nodes lead "
                f"through the grid, which takes from {grid.least_length} to {grid.columns}"
            )
        names = [function.name for function in self.functions]
        sizes = [(each.channels, each.kernel_size) for each in self.functions if each.channels or each.kernel_size]
        if len(set(names)) < len(names) or not sizes or any(min(size) < 1 or size[1] % 2 == 0 for size in sizes):
            raise ValueError(f"functions are {', '.join(names)}; give block channels once each, and odd kernel sizes")

    @property
    def name(self) -> str:
        """Name of the space, the same for all grids."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take."""
        return "images"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """For each node, column by column, the function and two connections; then the output."""
        return _choices(self.grid, self.functions)

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether each gene has an allowed value, and the number of active nodes is within the limits."""
        made, choices = architecture.decisions, self.choices
        if architecture.space != NAME or len(made) != len(choices):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(made, choices, strict=True)):
            return False
        return self.min_active <= len(self._active(made)) <= self.max_active

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the program with the first value for every gene on which the output does not depend.

        It does not see that programs are the same whose active nodes stand in other places of the grid, nor that a sum
        does not depend on the order of its terms.
        """
        made = architecture.decisions
        found = [0] * len(made)
        found[-1] = made[-1]
        for node in self._active(made):
            start = NUM_GENES * node
            end = start + 1 + self.functions[made[start]].num_inputs
            found[start:end] = made[start:end]
        return Architecture(NAME, tuple(found))

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best values; where they are no member, the same with a chain in it that leads to the output.

        The chain has the least number of nodes that is allowed, in evenly spread columns. From the output on, each of
        its connections leads to the best node of the column before; its functions are the best of one input.
        """
        made = [max(range(len(row)), key=row.__getitem__) for row in scores]
        best = Architecture(NAME, tuple(made))
        if self.is_valid(best):
            return best
        one_input = [index for index, function in enumerate(self.functions) if function.num_inputs == 1]
        rows, gene, reach = self.grid.rows, len(made) - 1, self.grid.reach(self.grid.columns)
        chain: list[tuple[int, int]] = []
        for column in reversed(self._columns()):
            wanted = scores[gene][column * rows + 1 - reach.start :][:rows]
            node = column * rows + max(range(rows), key=wanted.__getitem__)
            gene, reach = NUM_GENES * node + 1, self.grid.reach(column)
            chain.append((node, max(one_input, key=scores[gene - 1].__getitem__)))
        return self._linked(made, chain[::-1])

    def reference(self) -> Architecture:
        """Return a plain convolutional network: pairs of the narrowest blocks, then of wider ones, pooled behind each.

        It is the shortest chain that is a member, with at most three poolings.
        """
        smallest: dict[int, int] = {}
        for index, function in enumerate(self.functions):
            if function.channels:
                smallest.setdefault(function.channels, index)
        blocks = [index for _, index in sorted(smallest.items())]
        pooling = next(index for index, function in enumerate(self.functions) if function.kind == "max_pool")
        chain = []
        for place, column in enumerate(self._columns()):
            group, member = divmod(place, 3)
            pools = member == 2 and group < MOST_POOLINGS
            chain.append((column * self.grid.rows, pooling if pools else blocks[min(group, len(blocks) - 1)]))
        return self._linked([0] * len(self.choices), chain)

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> CartesianPrograms:
        """Return the space with filters of blocks times `width` and each block repeated `depth` times, rounded up."""
        return replace(self, width=self.width * width, depth=self.depth * depth)

    def steps(self, architecture: Architecture) -> tuple[Step, ...]:
        """Return what is computed, the active nodes in the order of the grid.

        Raises:
            ValueError: the architecture is no member.
        """
        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no program of this {NAME} space; give valid genes for each node")
        made = architecture.decisions
        sources, _ = self._sources(made)
        nodes = self._active(made)
        places = {0: 0} | {node + 1: place for place, node in enumerate(nodes, start=1)}
        return tuple(
            Step(self.functions[made[NUM_GENES * node]], tuple(places[source] for source in sources[node]))
            for node in nodes
        )

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized network of a program, on the CPU.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        from nas_core.networks.cartesian_network import CartesianNetwork
        from nas_core.networks.initialization import initialized

        steps = self.steps(architecture)
        depth = math.ceil(round(self.depth, 9))
        return initialized(lambda: CartesianNetwork(task, steps, width=self.width, depth=depth), init)

    def _columns(self) -> tuple[int, ...]:
        """Return the columns of the shortest evenly spread chain that is a member."""
        return self.grid.spread(max(self.min_active, self.grid.least_length))

    def _linked(self, decisions: Sequence[int], chain: Sequence[tuple[int, int]]) -> Architecture:
        """Return the program with a chain of nodes, each with a function, from the image to the output."""
        found, value = list(decisions), 0
        for node, function in chain:
            found[NUM_GENES * node] = function
            found[NUM_GENES * node + 1] = value - self.grid.reach(node // self.grid.rows).start
            value = node + 1
        found[-1] = value - self.grid.reach(self.grid.columns).start
        return Architecture(NAME, tuple(found))

    def _sources(self, decisions: Sequence[int]) -> tuple[list[tuple[int, ...]], int]:
        """Return the values that each node takes, as many as its function uses, and the one that the output takes."""
        firsts, found = _first_values(self.grid), []
        for node in range(self.grid.num_nodes):
            start, first = NUM_GENES * node, firsts[node // self.grid.rows]
            end = start + 1 + self.functions[decisions[start]].num_inputs
            found.append(tuple(first + decision for decision in decisions[start + 1 : end]))
        return found, firsts[-1] + decisions[-1]

    def _active(self, decisions: Sequence[int]) -> tuple[int, ...]:
        return active_nodes(self.grid, *self._sources(decisions))


def build(
    *,
    block: BlockName = "conv_block",
    rows: Annotated[int, Ge(1)] = 5,
    columns: Annotated[int, Ge(1)] = 30,
    levels_back: Annotated[int, Ge(1)] = 10,
    min_active: Annotated[int, Ge(1)] = 10,
    max_active: Annotated[int, Ge(1)] = 50,
    block_channels: tuple[Annotated[int, Ge(1)], ...] = (32, 64, 128),
    kernel_sizes: tuple[Annotated[int, Ge(1)], ...] = (3, 5),
) -> CartesianPrograms:
    """Return the space of programs on a grid; the defaults are the paper's.

    Args:
        block: conv_block is the paper's ConvSet, res_block its ResSet.
        rows: nodes of a column.
        columns: columns of the grid.
        levels_back: how many columns back a connection may reach.
        min_active: least number of active nodes.
        max_active: largest number of active nodes.
        block_channels: filters of the blocks that there are.
        kernel_sizes: of the blocks that there are; odd.

    Raises:
        ValueError: no chain with that many active nodes leads through the grid, or sizes are wrong.
    """
    if block not in get_args(BlockName):
        raise ValueError(f"block is {block!r}; allowed: {', '.join(get_args(BlockName))}")
    grid = Grid(rows, columns, levels_back)
    return CartesianPrograms(grid, function_set(block, block_channels, kernel_sizes), min_active, max_active)


@functools.lru_cache(maxsize=16)
def _first_values(grid: Grid) -> tuple[int, ...]:
    """Return for each column, and for the output, the first value in reach."""
    return tuple(grid.reach(column).start for column in range(grid.columns + 1))


@functools.lru_cache(maxsize=16)
def _choices(grid: Grid, functions: tuple[Function, ...]) -> tuple[Choice, ...]:
    """Return the choices; kept, since they are asked for at every step."""
    names = ["image", *(f"{c}.{r}" for c, r in itertools.product(range(grid.columns), range(grid.rows)))]
    options = [tuple(names[value] for value in grid.reach(column)) for column in range(grid.columns + 1)]
    found = []
    for column, row in itertools.product(range(grid.columns), range(grid.rows)):
        node = f"node {column}.{row}"
        found.append(Choice(f"{node}.function", tuple(function.name for function in functions), group=node))
        found += [Choice(f"{node}.{which}", options[column], group=node) for which in ("first", "second")]
    return (*found, Choice("output", options[-1], group="output"))
