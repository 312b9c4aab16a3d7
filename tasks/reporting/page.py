"""Puts sections together as one page of HTML that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.reporting.blocks import Figure
from tasks.reporting.html import render
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
