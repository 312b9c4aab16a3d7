"""Draws how far outputs change with the size of a perturbation, a line a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.palette import LineStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class StabilityLine:
    """The points of one network, by rising severity.

    Attributes:
        name: of the network.
        style: its look.
        sizes: of the perturbations, relative.
        changes: of the outputs, relative, mean over seeds.
        deviations: standard deviations of the changes over seeds; 0 for a single seed.
    """

    name: str
    style: LineStyle
    sizes: Sequence[float]
    changes: Sequence[float]
    deviations: Sequence[float]


def draw(lines: Sequence[StabilityLine], title: str) -> bytes:
    """Return the drawing as PNG.

    Args:
        lines: a network each.
        title: of the panel.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        for line in lines:
            axes.errorbar(
                line.sizes,
                line.changes,
                yerr=line.deviations,
                color=line.style.color,
                linestyle=line.style.dash,
                marker=line.style.marker,
                markersize=5,
                linewidth=1.9,
                elinewidth=1.0,
                capsize=2.5,
                label=line.name,
            )
        axes.set(title=title, xlabel="size of the perturbation, relative", ylabel="change of the outputs, relative")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        canvas.legend_below(figure, axes, 3)

    return canvas.png(fill, height=3.7 + 0.22 * ((len(lines) + 2) // 3))
