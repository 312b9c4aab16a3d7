"""Cells with operations on their vertices, as those of NAS-Bench-101: pruning, order, hash, channels, paths."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INPUT_LABEL, OUTPUT_LABEL = -1, -2


@dataclass(frozen=True, slots=True)
class VertexCell:
    """A directed acyclic graph whose first vertex is the input and whose last is the output (arXiv:1902.09635).

    Attributes:
        columns: for each vertex its predecessors, as bits (bit i: from vertex i); vertices in topological order.
        operations: the index of each inner vertex's operation.
    """

    columns: tuple[int, ...]
    operations: tuple[int, ...]

    def __post_init__(self) -> None:
        if len(self.columns) != len(self.operations) + 2 or any(
            column >> vertex for vertex, column in enumerate(self.columns)
        ):
            raise ValueError(
                f"{self} is no cell; give predecessors among the earlier vertices, and an operation an inner vertex"
            )

    @classmethod
    def from_bits(cls, bits: Sequence[int], operations: Sequence[int]) -> VertexCell:
        """Return the cell of the bits of the strict upper triangle of its adjacency matrix, column by column."""
        columns, start = [], 0
        for vertex in range(len(operations) + 2):
            columns.append(sum(bit << source for source, bit in enumerate(bits[start : start + vertex])))
            start += vertex
        if start != len(bits):
            raise ValueError(f"{len(bits)} bits do not go with {len(operations)} operations; give {start}")
        return cls(tuple(columns), tuple(operations))

    @property
    def num_vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.columns)

    @property
    def num_edges(self) -> int:
        """Number of edges."""
        return sum(column.bit_count() for column in self.columns)

    def has_edge(self, source: int, target: int) -> bool:
        """Return whether an edge leads from one vertex to another."""
        return bool(self.columns[target] >> source & 1)

    def bits(self) -> tuple[int, ...]:
        """Return the bits of the strict upper triangle of the adjacency matrix, column by column."""
        return tuple(column >> source & 1 for vertex, column in enumerate(self.columns) for source in range(vertex))

    def pruned(self) -> VertexCell | None:
        """Return the cell without vertices that are on no path from the input to the output; None if there is none."""
        last = self.num_vertices - 1
        reached, leading = 1, 1 << last
        for vertex in range(1, last + 1):
            if self.columns[vertex] & reached:
                reached |= 1 << vertex
        for vertex in range(last, 0, -1):
            if leading >> vertex & 1:
                leading |= self.columns[vertex]
        if not reached >> last & 1:
            return None
        both = reached & leading
        return self._arranged([vertex for vertex in range(last + 1) if both >> vertex & 1])

    def widened(self, num_vertices: int) -> VertexCell:
        """Return the cell with vertices that lead nowhere, of the first operation, before its output."""
        num_new = num_vertices - self.num_vertices
        return VertexCell((*self.columns[:-1], *(0,) * num_new, self.columns[-1]), (*self.operations, *(0,) * num_new))

    def canonical(self) -> VertexCell:
        """Return the least, by its bits and then by its operations, of all cells that are the same but for the order.

        Exact: all topological orders of the inner vertices are tried.
        """
        return min(
            (self._arranged((0, *order, self.num_vertices - 1)) for order in self._orders()),
            key=lambda cell: (cell.bits(), cell.operations),
        )

    def module_hash(self) -> str:
        """Return the published hash of the cell, by which the benchmark tells networks apart (arXiv:1902.09635).

        Follows the authors' code: degrees and label of each vertex, then as many rounds as there are vertices in which
        a vertex takes in the sorted hashes of its neighbors. The cell is to be pruned before.
        """
        vertices = range(self.num_vertices)
        labels = (INPUT_LABEL, *self.operations, OUTPUT_LABEL)
        before = [[source for source in vertices if self.has_edge(source, vertex)] for vertex in vertices]
        after = [[target for target in vertices if self.has_edge(vertex, target)] for vertex in vertices]
        hashes = [_md5(str((len(after[v]), len(before[v]), labels[v]))) for v in vertices]
        for _ in vertices:
            hashes = [
                _md5(
                    "".join(sorted(hashes[w] for w in before[v]))
                    + "|"
                    + "".join(sorted(hashes[w] for w in after[v]))
                    + "|"
                    + hashes[v]
                )
                for v in vertices
            ]
        return _md5(str(sorted(hashes)))

    def channels(self, in_channels: int, out_channels: int) -> tuple[int, ...]:
        """Return the channels of every vertex (arXiv:1902.09635); the cell is to be pruned before.

        Vertices that lead to the output share its channels evenly, the first of them taking what is left over; any
        other has the most channels of those it leads to.
        """
        last = self.num_vertices - 1
        found = [0] * last + [out_channels]
        concatenated = [vertex for vertex in range(1, last) if self.has_edge(vertex, last)]
        for place, vertex in enumerate(concatenated):
            found[vertex] = out_channels // len(concatenated) + (place < out_channels % len(concatenated))
        for vertex in range(last - 1, 0, -1):
            if vertex not in concatenated:
                found[vertex] = max(
                    found[target] for target in range(vertex + 1, last) if self.has_edge(vertex, target)
                )
        found[0] = in_channels
        return tuple(found)

    def paths(self) -> frozenset[tuple[int, ...]]:
        """Return the sequences of operations on the paths from the input to the output."""
        last = self.num_vertices - 1
        ending: list[set[tuple[int, ...]]] = [{()}]
        for vertex in range(1, last + 1):
            own = () if vertex == last else (self.operations[vertex - 1],)
            ending.append(
                {(*path, *own) for source in range(vertex) if self.has_edge(source, vertex) for path in ending[source]}
            )
        return frozenset(ending[last])

    def _arranged(self, order: Sequence[int]) -> VertexCell:
        """Return the cell of the given vertices, in the given order."""
        columns = tuple(
            sum((self.columns[vertex] >> source & 1) << place for place, source in enumerate(order[:position]))
            for position, vertex in enumerate(order)
        )
        return VertexCell(columns, tuple(self.operations[vertex - 1] for vertex in order[1:-1]))

    def _orders(self) -> Iterator[tuple[int, ...]]:
        """Yield the topological orders of the inner vertices."""
        for order in itertools.permutations(range(1, self.num_vertices - 1)):
            placed = 1
            for vertex in order:
                if self.columns[vertex] & ~placed:
                    break
                placed |= 1 << vertex
            else:
                yield order


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
