"""Draws how long each stage took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.palette import BLUE
from tasks.reporting.quantities import duration

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(rows: Sequence[tuple[str, float]], title: str) -> bytes:
    """Return the drawing as PNG.

    Args:
        rows: (stage, seconds), from top to bottom.
        title: of the panel.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        places = range(len(rows))
        bars = axes.barh(places, [seconds for _, seconds in rows], color=BLUE, height=0.68)
        axes.bar_label(bars, [duration(seconds) for _, seconds in rows], padding=4, fontsize=9)
        axes.set_yticks(places, [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set(title=title, xlabel="seconds")
        axes.margins(x=0.16)
        axes.grid(visible=False, axis="y")

    return canvas.png(fill, width=6.2, height=1.2 + 0.27 * len(rows))
