"""Colors that color-blind readers tell apart, on screen and in print."""

from __future__ import annotations

from dataclasses import dataclass

INK = "#1f2933"
MUTED = "#5b6770"
GRID = "#e3e7eb"
PAPER = "#ffffff"
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072b2", "#d55e00", "#009e73", "#a8477f", "#e69f00", "#56b4e9"

CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
"""From Okabe and Ito (2008), purple darkened for print; yellow is left out, too faint on white."""

DASHES = ("solid", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P")

OPERATION_COLORS = (MUTED, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)


@dataclass(frozen=True)
class LineStyle:
    """How the lines and points of one thing look in every figure, so that it is known again."""

    color: str
    dash: str | tuple[int, tuple[float, ...]]
    marker: str


def line_style(index: int) -> LineStyle:
    """Return the look of the thing of that index; color, dash and marker all differ between neighbors."""
    return LineStyle(
        CYCLE[index % len(CYCLE)],
        DASHES[(index + index // len(CYCLE)) % len(DASHES)],
        MARKERS[(index + index // len(CYCLE)) % len(MARKERS)],
    )
