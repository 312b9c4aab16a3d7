"""Draws a network of blocks from left to right, with what each block hands down to the head."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.block_network import BlockNetwork, NetworkBlock, PoolingPart
from tasks.reporting.palette import BLUE, GREEN, INK, MUTED, PAPER, PURPLE, VERMILION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Point = tuple[float, float]

# All lengths are inches.
BLOCK_WIDTH, LINE_HEIGHT, BLOCK_PADDING = 1.3, 0.165, 0.11
POOLING_WIDTH, POOLING_COLUMN, POOLING_HEIGHT = 0.46, 1.14, 0.84
ARROW = 0.36
CIRCLE_RADIUS = 0.17
PILL_WIDTH, PILL_HEIGHT = 1.16, 0.29
DROP = 0.3
HEAD_WIDTH = 0.95
RISE = 0.3
MARGIN = 0.1
TITLE_HEIGHT = 0.38
LEAST_WIDTH = 3.6
SMALLEST_SHARE = 0.2
"""The right side of a pooling is never drawn lower than this share of the left one."""

LINE_WIDTH = 1.5


@dataclass(frozen=True)
class Column:
    """Where a block stands.

    Attributes:
        block: what stands there.
        start: where its input comes from.
        left: its left side.
        right: its right side.
        end: where its output leaves, behind its pooling if it has one.
    """

    block: NetworkBlock
    start: float
    left: float
    right: float
    end: float

    @property
    def exit(self) -> float:
        """Where its output goes down."""
        return self.end + 0.4 * ARROW


def draw(network: BlockNetwork, title: str) -> bytes:
    """Return the drawing as PNG.

    Data flow along arrows: through the blocks to the right, over a block where it has a connection around it, and down
    to the head. A pooling is a narrowing whose right side is lower by the share of the nodes that it keeps.
    """
    columns = _columns(network)
    num_lines = max(len(column.block.lines) for column in columns)
    half = max(((2 + num_lines) * LINE_HEIGHT + 2 * BLOCK_PADDING) / 2, POOLING_HEIGHT / 2)
    has_structure = any(block.pooling is not None and block.pooling.structure for block in network.blocks)
    floor = -max(half, POOLING_HEIGHT / 2 + 2 * LINE_HEIGHT if has_structure else 0.0)
    has_pooling = any(block.pooling is not None for block in network.blocks)
    ceiling = max(half, POOLING_HEIGHT / 2 + 1.5 * LINE_HEIGHT if has_pooling else 0.0)
    buses = _bus_heights(network, half, ceiling)
    ceiling = max([ceiling, *(height + 0.5 * RISE for height in buses if height)])
    rows = _rows(network, floor)
    bottom = min([floor, *(row - PILL_HEIGHT / 2 for row in rows)])
    top = ceiling + TITLE_HEIGHT + (LINE_HEIGHT if network.others else 0.0)
    back = ARROW + POOLING_WIDTH if network.restores_nodes else 0.0
    last = replace(columns[-1], end=columns[-1].end + back)
    outputs = [*columns[:-1], last]
    ends_at = last.exit + PILL_WIDTH / 2 if rows else last.end
    width = max(ends_at + 2 * ARROW + HEAD_WIDTH + 2 * CIRCLE_RADIUS, LEAST_WIDTH) + MARGIN

    def fill(figure: Figure) -> None:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, width)
        axes.set_ylim(bottom - MARGIN, top)
        axes.text(MARGIN, top - MARGIN, title, fontsize=10.5, fontweight="bold", va="top")
        if network.others:
            axes.text(MARGIN, top - TITLE_HEIGHT, ", ".join(network.others), fontsize=8.5, va="top", color=MUTED)
        _circle(axes, (MARGIN + CIRCLE_RADIUS, 0.0), "in")
        for number, (column, height) in enumerate(zip(columns, buses, strict=True)):
            _column(axes, column, half)
            if height:
                sources = columns[1 : number + 1] if column.block.is_dense else [column]
                _around(axes, column, sources, height)
        if network.restores_nodes:
            _unpooling(axes, columns[-1].end)
        _head(axes, _way_down(axes, outputs, network, rows) if rows else (last.end, 0.0), network.head)

    return canvas.png(fill, width, top - bottom + MARGIN)


def _rows(network: BlockNetwork, floor: float) -> list[float]:
    """Return the heights of the rows below the blocks: that of readouts, if there are any, and that where they meet."""
    num_readouts = sum(bool(block.readout) for block in network.blocks)
    num_rows = bool(num_readouts) + (bool(network.combination) or num_readouts > 1)
    return [floor - number * (DROP + PILL_HEIGHT) + PILL_HEIGHT / 2 for number in range(1, num_rows + 1)]


def _columns(network: BlockNetwork) -> list[Column]:
    columns = []
    start = MARGIN + 2 * CIRCLE_RADIUS
    gap = ARROW
    for block in network.blocks:
        left = start + gap
        right = left + BLOCK_WIDTH
        beside = (POOLING_COLUMN - POOLING_WIDTH) / 2  # room for what is written above and below a pooling
        end, gap = (right, ARROW) if block.pooling is None else (right + 0.2 + beside + POOLING_WIDTH, beside + 0.16)
        columns.append(Column(block, start, left, right, end))
        start = end
    return columns


def _column(axes: Axes, column: Column, half: float) -> None:
    """Draw a block with the way into it, the way around it, and its pooling."""
    block = column.block
    _arrow(axes, (column.start, 0.0), (column.left, 0.0))
    _box(axes, (column.left, -half), (BLOCK_WIDTH, 2 * half), BLUE)
    middle = (column.left + column.right) / 2
    lines = [(block.name, 8.0, "normal", MUTED), (block.convolution, 10.0, "bold", INK)]
    lines += [(line, 8.5, "normal", INK) for line in block.lines]
    first = (len(lines) - 1) / 2 * LINE_HEIGHT
    for number, (text, size, weight, color) in enumerate(lines):
        height = first - number * LINE_HEIGHT
        axes.text(middle, height, text, fontsize=size, fontweight=weight, color=color, ha="center", va="center")
    if block.pooling is not None:
        _pooling(axes, column, block.pooling)


def _bus_heights(network: BlockNetwork, half: float, clear: float) -> list[float]:
    """Return how high the way around each block runs; 0 where there is none.

    One from further back than the block's own input runs above all blocks and poolings, each higher than the last.
    """
    heights, num_high = [], 0
    for number, block in enumerate(network.blocks):
        if not block.connection:
            heights.append(0.0)
        elif block.is_dense and number > 1:
            heights.append(clear + (0.5 + 0.7 * num_high) * RISE)
            num_high += 1
        else:
            heights.append(half + 0.5 * RISE)
    return heights


def _around(axes: Axes, column: Column, sources: Sequence[Column], height: float) -> None:
    """Draw the ways around a block, each from in front of a block to behind this one."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    end, corner = column.right + 0.09, 0.1
    for source in sources:
        start = source.left - 0.3 * ARROW
        points = [
            (start, 0.0), (start, height - corner), (start, height), (start + corner, height),
            (end - corner, height), (end, height), (end, height - corner), (end, 0.05),
        ]  # fmt: skip
        codes = [Path.MOVETO, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO, Path.CURVE3, Path.CURVE3, Path.LINETO]
        axes.add_patch(PathPatch(Path(points, codes), fill=False, edgecolor=PURPLE, linewidth=LINE_WIDTH, zorder=1))
    _arrow(axes, (end, 0.1), (end, 0.0), PURPLE)
    _label(axes, ((column.left + column.right) / 2, height), column.block.connection, PURPLE)


def _pooling(axes: Axes, column: Column, pooling: PoolingPart) -> None:
    """Draw a pooling as a narrowing, with its name above and its settings below."""
    share = 0.5 if pooling.ratio is None else max(pooling.ratio, SMALLEST_SHARE)
    start = column.end - POOLING_WIDTH
    _arrow(axes, (column.right, 0.0), (start, 0.0))
    _narrowing(axes, start, 1.0, share)
    middle, reach = start + POOLING_WIDTH / 2, POOLING_HEIGHT / 2 + 0.05
    if pooling.ratio is not None:
        axes.text(middle, 0.0, f"{100 * pooling.ratio:.3g} %", fontsize=8.5, ha="center", va="center", zorder=4)
    axes.text(middle, reach, pooling.name, fontsize=9.5, fontweight="bold", ha="center", va="bottom", zorder=4)
    axes.text(middle, -reach, _two_lines(pooling.structure), fontsize=8, color=MUTED, ha="center", va="top", zorder=4)


def _unpooling(axes: Axes, start: float) -> None:
    """Draw the way back to all nodes as a widening."""
    _arrow(axes, (start, 0.0), (start + ARROW, 0.0))
    _narrowing(axes, start + ARROW, 0.5, 1.0)
    place = (start + ARROW + POOLING_WIDTH / 2, POOLING_HEIGHT / 2 + 0.05)
    axes.text(*place, "all nodes", fontsize=9.5, fontweight="bold", ha="center", va="bottom", zorder=4)


def _narrowing(axes: Axes, start: float, left_share: float, right_share: float) -> None:
    from matplotlib.patches import Polygon

    left, right = (share * POOLING_HEIGHT / 2 for share in (left_share, right_share))
    end = start + POOLING_WIDTH
    corners = [(start, -left), (start, left), (end, right), (end, -right)]
    for face, edge, alpha in ((PAPER, "none", 1.0), (VERMILION, "none", 0.16), ("none", VERMILION, 1.0)):
        axes.add_patch(
            Polygon(corners, closed=True, facecolor=face, edgecolor=edge, alpha=alpha, linewidth=LINE_WIDTH, zorder=2)
        )


def _two_lines(text: str) -> str:
    """Return a text of several words on two lines, the first word on its own."""
    return text.replace(" ", "\n", 1)


def _way_down(axes: Axes, columns: Sequence[Column], network: BlockNetwork, rows: Sequence[float]) -> Point:
    """Draw what goes down from the blocks until it is one; return where that is."""
    ways = [column for column in columns if column.block.readout or network.combination]
    meets = bool(network.combination) or len(ways) > 1
    for column in ways:
        readout = column.block.readout
        axes.plot((column.end, column.exit), (0.0, 0.0), color=INK, linewidth=LINE_WIDTH, zorder=1)
        stops = [rows[0]] * bool(readout) + [rows[-1]] * meets
        starts = [0.0, *(stop - PILL_HEIGHT / 2 for stop in stops)]
        for start, stop in zip(starts, stops, strict=False):
            _arrow(axes, (column.exit, start), (column.exit, stop + PILL_HEIGHT / 2))
        if readout:
            _strip(axes, column.exit - PILL_WIDTH / 2, column.exit + PILL_WIDTH / 2, rows[0], readout)
    left, right = ways[0].exit - PILL_WIDTH / 2, ways[-1].exit + PILL_WIDTH / 2
    if meets:
        _strip(axes, left, right, rows[-1], network.combination or "all readouts")
    return right, rows[-1]


def _head(axes: Axes, start: Point, words: str) -> None:
    """Draw the head and the output behind it."""
    x, y = start
    if words:
        _arrow(axes, start, (x + ARROW, y))
        _box(axes, (x + ARROW, y - PILL_HEIGHT / 2), (HEAD_WIDTH, PILL_HEIGHT), MUTED)
        axes.text(x + ARROW + HEAD_WIDTH / 2, y, words, fontsize=9.5, ha="center", va="center", zorder=4)
        x += ARROW + HEAD_WIDTH
    _arrow(axes, (x, y), (x + ARROW, y))
    _circle(axes, (x + ARROW + CIRCLE_RADIUS, y), "out")


def _circle(axes: Axes, middle: Point, text: str) -> None:
    from matplotlib.patches import Circle

    axes.add_patch(Circle(middle, CIRCLE_RADIUS, facecolor=INK, edgecolor="none", zorder=3))
    axes.text(*middle, text, ha="center", va="center", fontsize=8.5, fontweight="bold", color=PAPER, zorder=4)


def _box(axes: Axes, corner: Point, size: Point, color: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    look = "round,pad=0,rounding_size=0.09"
    for face, edge, alpha in ((PAPER, "none", 1.0), (color, "none", 0.12), ("none", color, 1.0)):
        patch = FancyBboxPatch(
            corner, *size, boxstyle=look, facecolor=face, edgecolor=edge, alpha=alpha, linewidth=LINE_WIDTH, zorder=2
        )
        axes.add_patch(patch)


def _strip(axes: Axes, left: float, right: float, height: float, text: str) -> None:
    """Draw what gathers outputs: a box of the height of a line."""
    _box(axes, (left, height - PILL_HEIGHT / 2), (right - left, PILL_HEIGHT), GREEN)
    axes.text((left + right) / 2, height, text, fontsize=9, ha="center", va="center", zorder=4)


def _label(axes: Axes, middle: Point, text: str, color: str) -> None:
    box = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
    axes.text(*middle, text, fontsize=8.5, color=color, ha="center", va="center", bbox=box, zorder=4)


def _arrow(axes: Axes, start: Point, end: Point, color: str = INK) -> None:
    look = {"arrowstyle": "-|>", "color": color, "linewidth": LINE_WIDTH, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=end, xytext=start, arrowprops={**look, "mutation_scale": 10}, zorder=1)
