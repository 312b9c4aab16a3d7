"""A drawing of a comparison, in both formats in which it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.reporting import canvas

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Drawing:
    """The same drawing twice.

    Attributes:
        png: for the page.
        svg: for papers.
    """

    png: bytes
    svg: bytes


def drawing(draw: Callable[[Figure], None], width: float, height: float) -> Drawing:
    """Return what is drawn into an empty figure; equal drawings give equal bytes. See `canvas.png`."""
    return Drawing(canvas.png(draw, width, height), canvas.svg(draw, width, height))
