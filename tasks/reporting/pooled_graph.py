"""A graph and what a network's poolings made of it, as the network's ``pooling_examples.json`` says.

The file holds a list of graphs, each ``{"num_nodes", "edges": [[i, j], ...], "label"?, "levels": [{"block", "pooling",
"kept": [i, ...], "edges": [[i, j, weight], ...]}, ...]}``. Nodes are those of the input everywhere, numbered from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pair = tuple[int, int]


@dataclass(frozen=True)
class PooledLevel:
    """What one pooling left of a graph.

    Attributes:
        block: that it follows.
        pooling: its name.
        kept: the nodes that are left.
        weights: of the edges among them by their ends, the lower one first: the larger one of both directions.
    """

    block: str
    pooling: str
    kept: frozenset[int]
    weights: Mapping[Pair, float]


@dataclass(frozen=True)
class PooledGraph:
    """A graph with all its levels.

    Attributes:
        num_nodes: of the input.
        edges: of the input, the lower end first, without loops.
        label: of the graph; empty if it has none.
        levels: one a pooling, in the network's order.
    """

    num_nodes: int
    edges: frozenset[Pair]
    label: str
    levels: tuple[PooledLevel, ...]

    def learnt(self, level: PooledLevel) -> list[Pair]:
        """Return the edges of a level that the input does not have."""
        return sorted(pair for pair in level.weights if pair not in self.edges)

    def own(self, level: PooledLevel) -> list[Pair]:
        """Return the edges of a level that the input has too."""
        return sorted(pair for pair in level.weights if pair in self.edges)


def pooled_graph(content: Mapping[str, Any]) -> PooledGraph:
    """Return a graph as the file describes it.

    Raises:
        ValueError: an edge has an end that is no node that is left.
        KeyError: something is missing.
    """
    num_nodes = int(content["num_nodes"])
    everything = frozenset(range(num_nodes))
    edges = {_pair(edge[0], edge[1], everything): 1.0 for edge in content["edges"] if edge[0] != edge[1]}
    levels = []
    for level in content["levels"]:
        kept = frozenset(int(node) for node in level["kept"])
        if not kept <= everything:
            raise ValueError(f"nodes {sorted(kept - everything)} are kept of {num_nodes}; run retrain again")
        weights: dict[Pair, float] = {}
        for start, end, weight in level["edges"]:
            pair = _pair(start, end, kept)
            if start != end:
                weights[pair] = max(float(weight), weights.get(pair, 0.0))
        levels.append(PooledLevel(str(level["block"]), str(level["pooling"]), kept, weights))
    return PooledGraph(num_nodes, frozenset(edges), str(content.get("label") or ""), tuple(levels))


def _pair(start: int, end: int, allowed: frozenset[int]) -> Pair:
    if start not in allowed or end not in allowed:
        raise ValueError(f"edge {start} to {end} has an end that is not there; run retrain again")
    return min(start, end), max(start, end)
