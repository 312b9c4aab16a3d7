"""Draws how often a network is right when it is so sure: the reliability diagram, and where its confidences lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.reporting import canvas
from tasks.reporting.palette import BLUE, MUTED, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(bins: Sequence[Mapping[str, Any]], title: str, examples: str) -> bytes:
    """Return the drawing as PNG.

    Args:
        bins: low, high, count, confidence and accuracy of each, the last two null in an empty bin.
        title: of the panel.
        examples: what is counted, in the plural.
    """
    filled = [each for each in bins if each["count"]]

    def fill(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        upper.plot([0, 1], [0, 1], color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label="as sure as right")
        middles = [(each["low"] + each["high"]) / 2 for each in filled]
        width = 0.86 * (bins[0]["high"] - bins[0]["low"]) if bins else 0.05
        upper.bar(middles, [each["accuracy"] for each in filled], width=width, color=BLUE, label="share right")
        upper.scatter(
            middles,
            [each["confidence"] for each in filled],
            s=26,
            color=VERMILION,
            marker="D",
            zorder=3,
            label="mean confidence",
        )
        upper.set(title=title, ylabel=f"share of {examples}", xlim=(0, 1), ylim=(0, 1.04))
        lower.bar(middles, [each["count"] for each in filled], width=width, color=MUTED)
        lower.set(xlabel="confidence", ylabel=examples, yscale="log", ylim=(0.5, None))
        figure.align_ylabels()
        canvas.legend_below(figure, upper, 3)

    return canvas.png(fill, height=4.4)
