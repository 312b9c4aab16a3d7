"""The graph of a stage of Genetic CNN: ordered nodes that all do the same, and the connections among them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageGraph:
    """A directed acyclic graph over ordered nodes (Xie & Yuille 2017, arXiv:1703.01513).

    A node that is connected to none is isolated and takes no part. The default input node, which is not among them,
    leads to every node that takes part and has no predecessor, and those without a successor lead to the default output
    node.

    Attributes:
        columns: for each node its predecessors, as bits (bit i: from node i), all of them earlier nodes.
    """

    columns: tuple[int, ...]

    def __post_init__(self) -> None:
        if any(column >> node for node, column in enumerate(self.columns)):
            raise ValueError(f"{self} is no graph of a stage; give predecessors among the earlier nodes")

    @classmethod
    def from_bits(cls, num_nodes: int, bits: Sequence[int]) -> StageGraph:
        """Return the graph of the published code: for node 2, 3, ... a bit for each earlier node, the first node first.

        Raises:
            ValueError: if there are not K (K - 1) / 2 bits.
        """
        if len(bits) != num_bits(num_nodes):
            raise ValueError(f"{len(bits)} bits do not go with {num_nodes} nodes; give {num_bits(num_nodes)}")
        starts = [num_bits(node) for node in range(num_nodes)]
        return cls(
            tuple(
                sum(bit << source for source, bit in enumerate(bits[start : start + node]))
                for node, start in enumerate(starts)
            )
        )

    def bits(self) -> tuple[int, ...]:
        """Return the published code, as `from_bits` takes it."""
        return tuple(column >> source & 1 for node, column in enumerate(self.columns) for source in range(node))

    def sources(self, node: int) -> tuple[int, ...]:
        """Return the predecessors of a node."""
        return tuple(source for source in range(node) if self.columns[node] >> source & 1)

    def nodes(self) -> tuple[int, ...]:
        """Return the nodes that are not isolated."""
        leading = self._leading()
        return tuple(node for node, column in enumerate(self.columns) if column or leading >> node & 1)

    def last_nodes(self) -> tuple[int, ...]:
        """Return the nodes that take part and have no successor."""
        leading = self._leading()
        return tuple(node for node, column in enumerate(self.columns) if column and not leading >> node & 1)

    def canonical(self) -> StageGraph:
        """Return the graph of least code among all that are the same but for the order of the nodes.

        Exact: all orders in which connections lead to later nodes are tried. Isolated nodes come first in it.
        """
        return _canonical(self)

    def _leading(self) -> int:
        """Return the nodes that have a successor, as bits."""
        return functools.reduce(int.__or__, self.columns, 0)

    def orders(self, placed: tuple[int, ...] = (), bits: int = 0) -> Iterator[tuple[int, ...]]:
        """Yield the orders of the nodes in which connections lead to later ones, of all that begin as given."""
        if len(placed) == len(self.columns):
            yield placed
        for node, column in enumerate(self.columns):
            if not bits >> node & 1 and not column & ~bits:
                yield from self.orders((*placed, node), bits | 1 << node)

    def arranged(self, order: Sequence[int]) -> StageGraph:
        """Return the graph with its nodes in the given order."""
        return StageGraph(
            tuple(
                sum((self.columns[node] >> source & 1) << place for place, source in enumerate(order[:position]))
                for position, node in enumerate(order)
            )
        )


def num_bits(num_nodes: int) -> int:
    """Return K (K - 1) / 2, the number of possible connections among K nodes."""
    return num_nodes * (num_nodes - 1) // 2


@functools.lru_cache(maxsize=2**15)
def _canonical(graph: StageGraph) -> StageGraph:
    """Return the canonical form; kept, since searches ask for the same ones again and again."""
    return min((graph.arranged(order) for order in graph.orders()), key=StageGraph.bits)
