"""Puts sections together as one page of HTML that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.reporting.blocks import Figure, Section
from tasks.reporting.canvas import DOTS_PER_INCH
from tasks.reporting.machine import Machine
from tasks.reporting.provenance import Provenance
from tasks.reporting.results import Results
from tasks.reporting.sections import (
    anytime,
    calibration,
    candidates,
    cells,
    costs,
    headline,
    pareto,
    pooling,
    provenance,
    robustness,
    transfer,
    variants,
)

TEMPLATES = Path(__file__).with_name("template")
CSS_PIXELS_PER_INCH = 96


@dataclass(frozen=True)
class Page:
    """A finished page.

    Attributes:
        html: all of it, drawings included.
        figures: the drawings, which are in the page too.
    """

    html: str
    figures: tuple[Figure, ...]


def make_page(title: str, results: Results, machine: Machine, origin: Provenance) -> Page:
    """Return the report; equal arguments give equal bytes.

    Args:
        title: of the page.
        results: what the stages found.
        machine: where.
        origin: of which code and parameters.
    """
    made = (headline, anytime, pareto, cells, pooling, candidates, variants, transfer, robustness, calibration, costs)
    found = [*(module.section(results, machine) for module in made), provenance.section(results, origin)]
    sections = [section for section in found if section is not None]
    figures = tuple(figure for section in sections for figure in section.figures)
    return Page(render(title, sections), figures)


def render(title: str, sections: Sequence[Section]) -> str:
    """Return sections as HTML; every text in them is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    environment.filters["pixels"] = png_size
    environment.globals["css_pixels_per_dot"] = CSS_PIXELS_PER_INCH / DOTS_PER_INCH
    environment.tests["kind"] = lambda block, name: type(block).__name__ == name
    return environment.get_template("page.html").render(title=title, sections=sections)


def png_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG in pixels, so that the page does not jump while it loads."""
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
