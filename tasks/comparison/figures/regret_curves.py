"""Draws mean regret by evaluations, a curve a strategy, with the intervals of the means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tasks.comparison.figures.drawing import Drawing, drawing
from tasks.comparison.results import Band
from tasks.reporting import canvas
from tasks.reporting.palette import MUTED, LineStyle

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SETTLING_SHARE = 0.05
"""The axis starts where the curves are after this share of the budget; what comes before would squeeze the rest."""

LEAST_SHARE = 0.02
"""On the logarithmic axis a band ends at this share of the mean, if its lower end is below that or below 0."""


@dataclass(frozen=True)
class RegretCurve:
    """The curve of one strategy."""

    name: str
    style: LineStyle
    band: Band


def draw(
    curves: Sequence[RegretCurve],
    title: str,
    vertical: str,
    budgets: Sequence[int],
    factor: float = 1.0,
    floor: tuple[str, float] | None = None,
) -> Drawing:
    """Return the drawing, its vertical axis logarithmic where no mean regret is 0.

    Args:
        curves: those without a point are left out.
        title: of the panel.
        vertical: label of the regret.
        budgets: evaluations that are marked.
        factor: that regrets are multiplied by, 100 for percentage points.
        floor: name and regret of a line across the panel, such as what a perfect search reaches.
    """
    shown = [curve for curve in curves if len(curve.band.means)]
    is_logarithmic = bool(shown) and all((curve.band.means > 0).all() for curve in shown)

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for budget in budgets:
            axes.axvline(budget, color=MUTED, linewidth=1.2, linestyle=(0, (1, 2)), zorder=1)
        for curve in shown:
            band, style = curve.band, curve.style
            lows = np.maximum(band.lows, LEAST_SHARE * band.means) if is_logarithmic else band.lows
            axes.fill_between(
                band.evaluations, factor * lows, factor * band.highs, color=style.color, alpha=0.15, linewidth=0
            )
            axes.plot(
                band.evaluations,
                factor * band.means,
                color=style.color,
                linestyle=style.dash,
                linewidth=1.8,
                label=curve.name,
            )
        if floor is not None and floor[1] > 0:
            axes.axhline(factor * floor[1], color=MUTED, linewidth=1.0, label=floor[0], zorder=1)
        if is_logarithmic:
            _make_logarithmic(axes)
        axes.set(title=canvas.title_lines(title), xlabel="evaluations", ylabel=vertical)
        if shown:
            _set_limits(axes, shown, factor, None if floor is None else floor[1])
        canvas.legend_below(figure, axes, 3)

    return drawing(fill, 5.4, 3.7 + 0.22 * ((len(shown) + 2) // 3))


def _make_logarithmic(axes: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _set_limits(axes: Axes, curves: Sequence[RegretCurve], factor: float, floor: float | None) -> None:
    """Show all from where the curves have settled."""
    end = max(float(curve.band.evaluations[-1]) for curve in curves)
    start = SETTLING_SHARE * end
    settled = [curve.band.means[curve.band.evaluations >= start] for curve in curves]
    values = np.concatenate([*settled, *([] if not floor else [np.array([floor])])])
    low, high = factor * float(values.min()), factor * float(values.max())
    if axes.get_yscale() == "log":
        axes.set_ylim(low / 1.25, high * 1.25)
    else:
        margin = 0.08 * (high - low) or max(abs(high) * 0.01, 1e-9)
        axes.set_ylim(low - margin, high + margin)
    axes.set_xlim(start, end * 1.01)
