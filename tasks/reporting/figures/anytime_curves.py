"""Draws the best score so far of several searches, with the range over their repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.anytime import AnytimeCurve
from tasks.reporting.palette import LineStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SETTLING_SHARE = 0.05
"""The axis starts where the curves are after this share of the budget; what comes before would squeeze the rest."""


@dataclass(frozen=True)
class NamedCurve:
    """A curve with its name and look."""

    name: str
    style: LineStyle
    curve: AnytimeCurve


def draw(
    curves: Sequence[NamedCurve],
    title: str,
    horizontal: str,
    vertical: str,
    factor: float = 1.0,
    *,
    is_counted: bool = False,
) -> bytes:
    """Return the drawing as PNG.

    Args:
        curves: those that hold no position are left out.
        title: of the panel.
        horizontal: label of the positions.
        vertical: label of the scores.
        factor: that scores are multiplied by, 100 for percent.
        is_counted: whether positions are whole numbers.
    """
    shown = [each for each in curves if each.curve.positions]

    def fill(figure: Figure) -> None:
        from matplotlib.ticker import MaxNLocator

        axes = figure.add_subplot()
        for each in shown:
            curve, style = each.curve, each.style
            means, lowest, highest = (
                [factor * value for value in values] for values in (curve.means, curve.lowest, curve.highest)
            )
            axes.fill_between(curve.positions, lowest, highest, step="post", color=style.color, alpha=0.13, linewidth=0)
            axes.step(
                curve.positions,
                means,
                where="post",
                color=style.color,
                linestyle=style.dash,
                linewidth=1.9,
                label=each.name,
            )
            axes.plot(curve.positions[-1], means[-1], marker=style.marker, color=style.color, markersize=5)
        axes.set(title=canvas.title_lines(title), xlabel=horizontal, ylabel=vertical)
        axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", steps=[1, 2, 5, 10], integer=is_counted))
        axes.margins(x=0.02)
        if shown:
            low, high = _limits(shown, factor)
            axes.set_ylim(low, high)
        axes.set_xlim(left=0)
        canvas.legend_below(figure, axes, 3)

    return canvas.png(fill, height=3.7 + 0.22 * ((len(shown) + 2) // 3))


def _limits(curves: Sequence[NamedCurve], factor: float) -> tuple[float, float]:
    settled = [
        value
        for each in curves
        for values in (each.curve.lowest, each.curve.highest)
        for value in values[int(SETTLING_SHARE * len(values)) :]
    ]
    low, high = factor * min(settled), factor * max(settled)
    margin = 0.08 * (high - low) or max(abs(high) * 0.01, 1e-9)
    return low - margin, high + margin
