"""Places for the nodes of a graph in the plane, its parts beside each other; equal graphs get equal places."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Point = tuple[float, float]

SPREAD = 1.35
"""How much wider than high the parts may stand."""


def layout(num_nodes: int, edges: Iterable[tuple[int, int]]) -> list[Point]:
    """Return (x, y) of each node, all within 0..1.

    Each connected part is placed by the distances along its edges (Kamada & Kawai 1989) in a square whose area grows
    with its number of nodes; the squares stand in rows, large ones first.

    Args:
        num_nodes: numbered from 0.
        edges: pairs of nodes, in any order and direction.
    """
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(num_nodes))
    graph.add_edges_from(sorted({(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]}))
    parts = sorted((sorted(part) for part in networkx.connected_components(graph)), key=lambda part: (-len(part), part))
    sides = [math.sqrt(len(part)) for part in parts]
    longest_row = max(SPREAD * math.sqrt(sum(map(len, parts))), max(sides, default=0.0))
    places: dict[int, Point] = {}
    left = bottom = height = 0.0
    for part, side in zip(parts, sides, strict=True):
        if left > 0 and left + side > longest_row:
            left, bottom, height = 0.0, bottom + height, 0.0
        for node, (x, y) in _part(graph, part).items():
            places[node] = (left + side * x, bottom + side * y)
        left, height = left + side, max(height, side)
    return _within_unit([places[node] for node in range(num_nodes)])


def _part(graph: Any, part: list[int]) -> dict[int, Point]:
    """Return the places of the nodes of a connected part, from 0.12 to 0.88 so that parts stay apart."""
    import networkx

    if len(part) == 1:
        return {part[0]: (0.5, 0.5)}
    ordered = networkx.Graph()
    ordered.add_nodes_from(part)
    ordered.add_edges_from(networkx.subgraph(graph, part).edges)
    found = networkx.kamada_kawai_layout(ordered)
    unit = _within_unit([(float(found[node][0]), float(found[node][1])) for node in part])
    return {node: (0.12 + 0.76 * x, 0.12 + 0.76 * y) for node, (x, y) in zip(part, unit, strict=True)}


def _within_unit(points: list[Point]) -> list[Point]:
    """Return points moved and scaled, both axes alike, so that they fill 0..1, their middle at 0.5."""
    if not points:
        return []
    lows, highs = ([choose(axis) for axis in zip(*points, strict=True)] for choose in (min, max))
    scale = 1 / max(*(high - low for low, high in zip(lows, highs, strict=True)), 1e-9)
    middles = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    return [(0.5 + scale * (x - middles[0]), 0.5 + scale * (y - middles[1])) for x, y in points]
