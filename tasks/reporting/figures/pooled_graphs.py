"""Draws graphs in rows: as they come, and what is left of them after each pooling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.reporting import canvas
from tasks.reporting.graph_layout import Point, layout
from tasks.reporting.palette import BLUE, GRID, INK, MUTED, PAPER, VERMILION
from tasks.reporting.pooled_graph import Pair, PooledGraph, PooledLevel

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_WIDTH, PANEL_HEIGHT = 2.65, 2.35
MARGINS_HEIGHT, LEGEND_LINE_HEIGHT = 0.55, 0.2
THINNEST, THICKEST = 0.5, 2.6
PLAIN = 1.3
"""Of a line where all edges weigh the same."""

LOOKS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("node that is left", {"marker": "o", "color": BLUE, "linestyle": "none"}),
    ("dropped node", {"marker": "o", "color": PAPER, "markeredgecolor": MUTED, "linestyle": "none"}),
    ("edge of the input", {"color": INK, "linewidth": 2.0}),
    ("learnt edge", {"color": VERMILION, "linewidth": 2.0}),
)
"""What the legend explains."""


def draw(graphs: Sequence[PooledGraph], columns: Sequence[str]) -> bytes:
    """Return the drawing as PNG.

    Args:
        graphs: one a row, with as many levels each as there are columns after the first.
        columns: what each column shows, the input first.
    """

    legend_columns = len(LOOKS) if len(columns) > 2 else 2

    def fill(figure: Figure) -> None:
        from matplotlib.lines import Line2D

        panels = figure.subplots(len(graphs), len(columns), squeeze=False)
        for row, graph in zip(panels, graphs, strict=True):
            places = layout(graph.num_nodes, graph.edges)
            _input(row[0], graph, places)
            for axes, level in zip(row[1:], graph.levels, strict=True):
                _level(axes, graph, level, places)
        for axes, title in zip(panels[0], columns, strict=True):
            place = {"xy": (0, 1), "xycoords": "axes fraction", "xytext": (0, 24), "textcoords": "offset points"}
            axes.annotate(title, fontsize=10.5, fontweight="bold", annotation_clip=False, **place)
        handles = [Line2D([], [], label=label, **look) for label, look in LOOKS]
        figure.legend(handles=handles, loc="outside lower center", ncols=legend_columns, columnspacing=1.6)

    margins = MARGINS_HEIGHT + LEGEND_LINE_HEIGHT * len(LOOKS) / legend_columns
    return canvas.png(fill, PANEL_WIDTH * len(columns), PANEL_HEIGHT * len(graphs) + margins)


def _input(axes: Axes, graph: PooledGraph, places: Sequence[Point]) -> None:
    _edges(axes, sorted(graph.edges), places, INK, [PLAIN] * len(graph.edges))
    _nodes(axes, range(graph.num_nodes), places, is_left=True)
    label = f"{graph.label}: " if graph.label else ""
    _frame(axes, f"{label}{_counted(graph.num_nodes, 'node')}, {_counted(len(graph.edges), 'edge')}")


def _level(axes: Axes, graph: PooledGraph, level: PooledLevel, places: Sequence[Point]) -> None:
    _edges(axes, sorted(graph.edges), places, GRID, [PLAIN] * len(graph.edges))
    largest = max(level.weights.values(), default=1.0) or 1.0
    thickest = THICKEST if len(set(level.weights.values())) > 1 else PLAIN
    own, learnt = graph.own(level), graph.learnt(level)
    for pairs, color in ((learnt, VERMILION), (own, INK)):
        widths = [THINNEST + (thickest - THINNEST) * level.weights[pair] / largest for pair in pairs]
        _edges(axes, pairs, places, color, widths)
    _nodes(axes, [node for node in range(graph.num_nodes) if node not in level.kept], places, is_left=False)
    _nodes(axes, sorted(level.kept), places, is_left=True)
    edges = f"{len(own)} old and {_counted(len(learnt), 'learnt edge')}" if learnt else _counted(len(own), "edge")
    _frame(axes, f"{_counted(len(level.kept), 'node')}, {edges}")


def _edges(axes: Axes, pairs: Sequence[Pair], places: Sequence[Point], color: str, widths: Sequence[float]) -> None:
    from matplotlib.collections import LineCollection

    lines = LineCollection([(places[start], places[end]) for start, end in pairs], linewidths=widths, colors=color)
    lines.set_alpha(0.75)
    axes.add_collection(lines)


def _nodes(axes: Axes, nodes: Sequence[int], places: Sequence[Point], *, is_left: bool) -> None:
    size = max(9.0, min(44.0, 1500.0 / max(len(places), 1)))
    look: dict[str, Any] = (
        {"color": BLUE, "edgecolors": PAPER} if is_left else {"color": PAPER, "edgecolors": MUTED, "alpha": 0.6}
    )
    xs, ys = [places[node][0] for node in nodes], [places[node][1] for node in nodes]
    axes.scatter(xs, ys, s=size, linewidths=0.8, zorder=3 if is_left else 2, **look)


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title, fontsize=8.5, fontweight="normal", color=INK)
    axes.set_xlim(-0.06, 1.06)
    axes.set_ylim(-0.06, 1.06)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
