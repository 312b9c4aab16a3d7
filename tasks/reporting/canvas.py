"""Empty figures in the report's look, and their bytes as PNG."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tasks.reporting.palette import GRID, INK, MUTED, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 170
MAX_TITLE_LENGTH = 54
"""Characters of a title in a line over a panel of the usual width."""

LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 9.0,
    "axes.labelsize": 9.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "svg.hashsalt": "nasflow",
}


def png(draw: Callable[[Figure], None], width: float = 5.4, height: float = 3.7) -> bytes:
    """Return a drawing as PNG; equal drawings give equal bytes.

    Args:
        draw: draws into an empty figure.
        width: in inches.
        height: in inches.
    """
    return _saved(draw, width, height, "png", {"Software": None})


def svg(draw: Callable[[Figure], None], width: float = 5.4, height: float = 3.7) -> bytes:
    """Return a drawing as SVG; equal drawings give equal bytes. See `png`."""
    return _saved(draw, width, height, "svg", {"Creator": None, "Date": None})


def _saved(
    draw: Callable[[Figure], None], width: float, height: float, file_format: str, metadata: dict[str, None]
) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with matplotlib.rc_context(LOOK):
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure)
        figure.savefig(buffer, format=file_format, metadata=metadata)
    return buffer.getvalue()


def title_lines(title: str) -> str:
    """Return a title in as many lines as it takes to stand over a panel of the usual width."""
    return textwrap.fill(title, MAX_TITLE_LENGTH)


def legend_below(figure: Figure, axes: Axes, num_columns: int) -> None:
    """Put the legend under the panel, where it covers nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=min(num_columns, len(labels)),
            columnspacing=1.4,
            handlelength=2.4,
        )
