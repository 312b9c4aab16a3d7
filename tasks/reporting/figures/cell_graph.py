"""Draws a cell as its nodes and the operations on the edges between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.architecture import Choice
from tasks.reporting import canvas
from tasks.reporting.palette import INK, MUTED, OPERATION_COLORS, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

EDGE_NAME = re.compile(r"(?:.*\D)?(\d+)->(\d+)")
NO_OPERATION = "none"
MAX_NUM_NODES = 6
NODE_RADIUS = 0.16
NODE_DISTANCE = 1.7
MARGIN = 0.32


@dataclass(frozen=True)
class Edge:
    """An edge of a cell.

    Attributes:
        source: the node it leaves.
        target: the node it enters.
        operation: what it does.
        place: the operation's place among the options, which gives its color.
        is_used: whether it lies on a path from the input to the output, over edges that do something.
    """

    source: int
    target: int
    operation: str
    place: int
    is_used: bool


def cell_edges(choices: Sequence[Choice], decisions: Sequence[int]) -> tuple[Edge, ...] | None:
    """Return the edges of one group of choices; None unless each is named as an edge is, such as ``0->1``.

    Args:
        choices: of one group.
        decisions: one a choice.
    """
    matches = [EDGE_NAME.fullmatch(choice.name) for choice in choices]
    ends = [(int(match[1]), int(match[2])) for match in matches if match is not None]
    if not ends or len(ends) != len(choices) or any(source >= target for source, target in ends):
        return None
    if len(set(ends)) != len(ends) or len({node for pair in ends for node in pair}) > MAX_NUM_NODES:
        return None
    operations = [choice.options[decision] for choice, decision in zip(choices, decisions, strict=True)]
    live = [pair for pair, operation in zip(ends, operations, strict=True) if operation != NO_OPERATION]
    first, last = min(source for source, _ in ends), max(target for _, target in ends)
    reached = _closure({first}, live)
    needed = _closure({last}, [(target, source) for source, target in live])
    return tuple(
        Edge(*pair, operation, decision, operation != NO_OPERATION and pair[0] in reached and pair[1] in needed)
        for pair, operation, decision in zip(ends, operations, decisions, strict=True)
    )


def draw(edges: Sequence[Edge], title: str) -> bytes:
    """Return the drawing as PNG: edges without an operation are left out, those that change nothing are dashed."""

    nodes = sorted({node for edge in edges for node in (edge.source, edge.target)})
    places = {node: index * NODE_DISTANCE for index, node in enumerate(nodes)}
    drawn = [edge for edge in edges if edge.operation != NO_OPERATION]
    heights = [0.0, *(_height(edge, nodes) for edge in drawn)]
    low, high = min(heights) - MARGIN, max(heights) + MARGIN

    def fill(figure: Figure) -> None:
        from matplotlib.patches import Circle

        axes = figure.add_subplot()
        for edge in drawn:
            _edge(axes, edge, places, _height(edge, nodes))
        for node, place in places.items():
            name = "in" if node == nodes[0] else "out" if node == nodes[-1] else str(node)
            axes.add_patch(Circle((place, 0), NODE_RADIUS, facecolor=INK, edgecolor=PAPER, linewidth=1.5, zorder=3))
            axes.text(place, 0, name, ha="center", va="center", fontsize=9, fontweight="bold", color=PAPER, zorder=4)
        span = places[nodes[-1]]
        axes.set_xlim(-0.35, span + 0.35)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(title)

    width = 5.4
    return canvas.png(fill, width, 0.4 + width * (high - low) / (places[nodes[-1]] + 0.7))


def _height(edge: Edge, nodes: Sequence[int]) -> float:
    """Return how high an edge rises: 0 between neighbors, else up from even nodes and down from odd ones."""
    start, end = nodes.index(edge.source), nodes.index(edge.target)
    side = 1.0 if start % 2 == 0 else -1.0
    return 0.0 if end - start == 1 else side * NODE_DISTANCE * (end - start) * (0.30 if end - start == 2 else 0.335)


def _edge(axes: Axes, edge: Edge, places: dict[int, float], height: float) -> None:
    """Draw an edge with its operation."""
    import numpy as np

    start, end = places[edge.source], places[edge.target]
    steps = np.linspace(0, np.pi, 60)
    xs = (start + end) / 2 - (end - start) / 2 * np.cos(steps)
    ys = height * np.sin(steps)
    color = OPERATION_COLORS[edge.place % len(OPERATION_COLORS)] if edge.is_used else MUTED
    width, dash = (2.2, "solid") if edge.is_used else (1.2, (0, (3, 2)))
    outside = np.hypot(xs - end, ys) > NODE_RADIUS * 1.25
    last = int(np.flatnonzero(outside)[-1])
    axes.plot(xs[: last + 1], ys[: last + 1], color=color, linewidth=width, linestyle=dash, zorder=1)
    axes.annotate(
        "",
        xy=(xs[last] + 1e-3 * (end - xs[last]), ys[last] - 1e-3 * ys[last]),
        xytext=(xs[last - 2], ys[last - 2]),
        arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": width, "shrinkA": 0, "shrinkB": 0},
        zorder=2,
    )
    axes.text(
        (start + end) / 2,
        height,
        edge.operation.replace("nor_", "").replace("_", " "),
        ha="center",
        va="center",
        fontsize=8.5,
        color=color,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.5},
        zorder=2.5,
    )


def _closure(start: set[int], edges: Sequence[tuple[int, int]]) -> set[int]:
    """Return the nodes that can be reached along edges."""
    reached = set(start)
    while grown := {target for source, target in edges if source in reached} - reached:
        reached |= grown
    return reached
