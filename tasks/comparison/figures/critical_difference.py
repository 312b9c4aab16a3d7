"""Draws mean ranks on a line, with a bar under those that a test does not tell apart (Demsar 2006, JMLR 7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tasks.comparison.figures.drawing import Drawing, drawing
from tasks.comparison.ranking import Ranking
from tasks.reporting import canvas
from tasks.reporting.palette import INK, MUTED
from tasks.reporting.quantities import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(found: Ranking, colors: Mapping[str, str], title: str) -> Drawing:
    """Return the drawing.

    Args:
        found: the ranking.
        colors: of the strategies by name.
        title: of the panel.
    """
    import pandas
    from scikit_posthocs import critical_difference_diagram

    names = [readable(name) for name in found.names]
    ranks = dict(zip(names, found.mean_ranks, strict=True))
    p_values = pandas.DataFrame(found.p_values, index=names, columns=names)

    def fill(figure: Figure) -> None:
        from matplotlib.ticker import MultipleLocator

        axes = figure.add_subplot()
        axes.grid(False)
        critical_difference_diagram(
            ranks,
            p_values,
            alpha=found.significance,
            ax=axes,
            label_fmt_left="{label}  {rank:.2f} ",
            label_fmt_right=" {rank:.2f}  {label}",
            label_props={"fontsize": 9},
            elbow_props={"linewidth": 1.4},
            crossbar_props={"color": INK, "linewidth": 3.5, "solid_capstyle": "round"},
            marker_props={"s": 26},
            color_palette={readable(name): color for name, color in colors.items()},
            text_h_margin=0.2,
        )
        axes.spines["top"].set_visible(True)
        axes.xaxis.set_major_locator(MultipleLocator(1.0))
        axes.set_xlim(1.0, float(len(ranks)))
        low, _ = axes.get_ylim()
        axes.set_ylim(low - 0.2, 1.4)
        if found.critical_difference is not None:
            _draw_scale(axes, found.critical_difference)
        axes.set_title(canvas.title_lines(title))

    return drawing(fill, 5.8, 1.5 + 0.26 * len(ranks))


def _draw_scale(axes: Axes, critical_difference: float) -> None:
    """Draw the critical difference as a bar above the line of ranks, from rank 1 on."""
    height, end = 1.35, 1.0 + critical_difference
    axes.plot([1.0, end], [height, height], color=MUTED, linewidth=1.6, clip_on=False)
    for place in (1.0, end):
        axes.plot([place, place], [height - 0.15, height + 0.15], color=MUTED, linewidth=1.6, clip_on=False)
    axes.text(
        end + 0.06, height, f"critical difference {critical_difference:.2f}", va="center", fontsize=8.5, color=MUTED
    )
