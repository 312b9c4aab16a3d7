"""Draws the accuracy of every run as a dot, and each network's mean with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.robustness.intervals import summarize_runs
from tasks.reporting import canvas
from tasks.reporting.palette import BLUE, INK, MUTED, VERMILION

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class AccuracyRow:
    """The runs of one network, or of several that stand for one thing.

    Attributes:
        name: of the row.
        accuracies: one a run, in 0..1.
        is_candidate: whether the search has found it.
    """

    name: str
    accuracies: tuple[float, ...]
    is_candidate: bool


def draw(rows: Sequence[AccuracyRow], title: str, horizontal: str, smallest_step: float, example: str) -> bytes:
    """Return the drawing as PNG.

    Args:
        rows: from top to bottom.
        title: of the panel.
        horizontal: label of the accuracies.
        smallest_step: what one example is worth; drawn as a bar to compare with.
        example: what it is called.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for place, row in enumerate(rows):
            color = VERMILION if row.is_candidate else BLUE
            values = [100 * value for value in row.accuracies]
            summary = summarize_runs(values)
            if summary.interval is not None:
                ends = [max(summary.interval.low, 0.0), min(summary.interval.high, 100.0)]
                axes.plot(ends, [place, place], color=color, linewidth=1.6)
            axes.plot(summary.mean, place, marker="|", markersize=17, markeredgewidth=2.6, color=color)
            axes.scatter(values, [place + 0.21] * len(values), s=22, color=color, alpha=0.55, linewidths=0)
        axes.set_yticks(range(len(rows)), [row.name for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.95)
        axes.set(title=title, xlabel=horizontal)
        axes.grid(visible=False, axis="y")
        low, high = axes.get_xlim()
        axes.plot([low, low + 100 * smallest_step], [-0.68, -0.68], color=MUTED, linewidth=3, solid_capstyle="butt")
        axes.text(low + 100 * smallest_step, -0.68, f"  one test {example}", va="center", fontsize=8.5, color=INK)
        axes.set_xlim(low, high)

    return canvas.png(fill, width=6.2, height=1.3 + 0.42 * len(rows))
