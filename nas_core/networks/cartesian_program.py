"""Cartesian genetic programs: the functions of their nodes, and what is computed of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

BlockName = Literal["conv_block", "res_block"]
POOLINGS = ("max_pool", "avg_pool")
JOINS = ("concatenation", "summation")


@dataclass(frozen=True, slots=True)
class Function:
    """What a node computes (Suganuma, Shirakawa & Nagao 2017, arXiv:1704.00764).

    Attributes:
        kind: conv_block, res_block, max_pool, avg_pool, concatenation or summation.
        channels: filters of a block, else 0.
        kernel_size: of a block, else 0.
    """

    kind: str
    channels: int = 0
    kernel_size: int = 0

    @property
    def name(self) -> str:
        """The name of the option, as ``conv_block_32_3`` or ``summation``."""
        return f"{self.kind}_{self.channels}_{self.kernel_size}" if self.channels else self.kind

    @property
    def num_inputs(self) -> int:
        """How many of the two connections of a node it uses."""
        return 2 if self.kind in JOINS else 1


def function_set(block: str, channels: Sequence[int], kernel_sizes: Sequence[int]) -> tuple[Function, ...]:
    """Return the functions: blocks of all sizes, the smallest first, poolings, and those that join two feature maps."""
    return (
        *(Function(block, number, size) for number, size in itertools.product(channels, kernel_sizes)),
        *(Function(kind) for kind in (*POOLINGS, *JOINS)),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """An active node.

    Attributes:
        function: what it computes.
        sources: the values that it takes: 0 is the input of the program, i the result of its step i - 1.
    """

    function: Function
    sources: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows and columns of nodes, each of which may take what columns shortly before it give.

    Values are numbered: 0 is the input, 1 + column * rows + row a node's result. The input counts as a column before
    the first one. All as in the authors' code.

    Attributes:
        rows: nodes of a column.
        columns: columns.
        levels_back: how many columns back a node of a column, or the output, may reach.
    """

    rows: int
    columns: int
    levels_back: int

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return self.rows * self.columns

    def reach(self, column: int) -> range:
        """Return the values that a node of a column may take; those of the output, for the column behind the last."""
        first = column - self.levels_back
        return range(first * self.rows + 1 if first >= 0 else 0, column * self.rows + 1)

    def spread(self, count: int) -> tuple[int, ...]:
        """Return `count` columns, spread evenly and each in reach of the next; so many there must be."""
        return tuple(place * self.columns // count for place in range(count))

    @property
    def least_length(self) -> int:
        """Number of nodes of the shortest evenly spread chain from the input to the output."""
        return -(-self.columns // self.levels_back)


def active_nodes(grid: Grid, genes: Sequence[tuple[int, ...]], output: int) -> tuple[int, ...]:
    """Return the nodes that the output depends on, in the order of the grid.

    Args:
        grid: of the nodes.
        genes: for each node the values that it takes, as many as its function uses.
        output: the value that the output takes.
    """
    wanted = [False] * (grid.num_nodes + 1)
    wanted[output] = True
    for node in range(output - 1, -1, -1):
        if wanted[node + 1]:
            for source in genes[node]:
                wanted[source] = True
    return tuple(node for node in range(grid.num_nodes) if wanted[node + 1])
