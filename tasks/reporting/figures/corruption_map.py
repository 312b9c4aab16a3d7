"""Draws a number for each corruption and severity as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.palette import INK, PAPER
from tasks.reporting.quantities import signed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SEQUENTIAL, DIVERGING = "cividis", "RdBu"


def draw(
    rows: Sequence[str],
    severities: Sequence[int],
    values: Sequence[Sequence[float]],
    title: str,
    *,
    is_difference: bool = False,
    groups: Sequence[int] = (),
) -> bytes:
    """Return the drawing as PNG.

    Args:
        rows: names, from top to bottom.
        severities: from left to right.
        values: a row a name, in percent or percentage points.
        title: of the panel.
        is_difference: whether the colors part at 0.
        groups: the rows at which a new group begins; a gap is drawn above them.
    """

    def fill(figure: Figure) -> None:
        import matplotlib
        import numpy as np

        axes = figure.add_subplot()
        table = np.asarray(values, dtype=float)
        reach = max(float(np.abs(table).max()), 1.0)
        low, high = (-reach, reach) if is_difference else (float(table.min()), float(max(table.max(), table.min() + 1)))
        colors = matplotlib.colormaps[DIVERGING if is_difference else SEQUENTIAL]
        axes.imshow(table, cmap=colors, vmin=low, vmax=high, aspect="auto")
        for (row, column), value in np.ndenumerate(table):
            red, green, blue, _ = colors((value - low) / (high - low))
            text = signed(value, 1) if is_difference else f"{value:.1f}"
            axes.text(
                column,
                row,
                text,
                ha="center",
                va="center",
                fontsize=8.5,
                color=INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else PAPER,
            )
        for start in groups:
            axes.axhline(start - 0.5, color=PAPER, linewidth=4)
        axes.set_xticks(range(len(severities)), [str(severity) for severity in severities])
        axes.set_yticks(range(len(rows)), rows)
        axes.set(title=title, xlabel="severity")
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)

    return canvas.png(fill, height=1.1 + 0.26 * len(rows))
