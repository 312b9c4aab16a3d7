"""Draws networks by two objectives, and the front of those that no other one dominates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.reporting import canvas
from tasks.reporting.palette import INK, LineStyle

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Cloud:
    """The networks of one origin.

    Attributes:
        name: of the origin.
        style: its look.
        points: (horizontal, vertical) of each network.
    """

    name: str
    style: LineStyle
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Mark:
    """A network that is named in the drawing."""

    name: str
    point: tuple[float, float]


def draw(
    clouds: Sequence[Cloud],
    front: Sequence[tuple[float, float]],
    title: str,
    horizontal: str,
    vertical: str,
    floor: float | None = None,
    marks: Sequence[Mark] = (),
) -> bytes:
    """Return the drawing as PNG.

    Args:
        clouds: the networks.
        front: the points that none dominates, by rising horizontal value.
        title: of the panel.
        horizontal: label.
        vertical: label.
        floor: the lowest vertical value that is shown; None for all.
        marks: networks that are named.
    """

    def fill(figure: Figure) -> None:
        from matplotlib.ticker import EngFormatter

        axes = figure.add_subplot()
        for cloud in clouds:
            if cloud.points:
                axes.scatter(
                    [x for x, _ in cloud.points],
                    [y for _, y in cloud.points],
                    s=24,
                    color=cloud.style.color,
                    marker=cloud.style.marker,
                    alpha=0.6,
                    linewidths=0,
                    label=cloud.name,
                )
        if front:
            axes.step(
                [x for x, _ in front],
                [y for _, y in front],
                where="post",
                color=INK,
                linewidth=1.4,
                marker="o",
                markersize=7,
                markerfacecolor="none",
                label="Pareto front",
            )
        for mark in marks:
            axes.annotate(
                mark.name,
                mark.point,
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                fontsize=9,
                fontweight="bold",
            )
        axes.set(title=canvas.title_lines(title), xlabel=horizontal, ylabel=vertical)
        axes.xaxis.set_major_formatter(EngFormatter(sep=" "))
        axes.margins(0.06, 0.1)
        if floor is not None:
            top = max(y for cloud in clouds for _, y in cloud.points)
            axes.set_ylim(floor, top + 0.08 * (top - floor))
        canvas.legend_below(figure, axes, 3)

    return canvas.png(fill, height=3.7 + 0.22 * ((len(clouds) + 3) // 3))
