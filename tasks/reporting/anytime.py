"""The best score so far over a search, with its spread over repetitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from tasks.reporting.searches import CurvePoint, SearchResult


@dataclass(frozen=True)
class AnytimeCurve:
    """Mean and range of the best score so far, where all repetitions have one.

    Attributes:
        positions: evaluations from 1, or seconds; ascending.
        means: over the repetitions, one a position.
        lowest: likewise.
        highest: likewise.
    """

    positions: tuple[float, ...]
    means: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]


def by_evaluations(search: SearchResult) -> AnytimeCurve:
    """Return the curve by the number of evaluations, as far as every repetition went."""
    rows = []
    for number, points in enumerate(zip(*search.curves.values(), strict=False), start=1):
        rows.append((float(number), [point.best for point in points]))
    return _curve(rows)


def by_seconds(search: SearchResult) -> AnytimeCurve:
    """Return the curve by the seconds that evaluations took, up to the end of the repetition that ended first."""
    if not search.curves or not all(search.curves.values()):
        return _curve([])
    end = min(points[-1].seconds for points in search.curves.values())
    moments = sorted({point.seconds for points in search.curves.values() for point in points if point.seconds <= end})
    return _curve([(moment, [_best_at(points, moment) for points in search.curves.values()]) for moment in moments])


def _best_at(points: Sequence[CurvePoint], seconds: float) -> float | None:
    """Return the best score of the evaluations that had ended by then."""
    best = None
    for point in points:
        if point.seconds > seconds:
            break
        best = point.best
    return best


def _curve(rows: Sequence[tuple[float, Sequence[float | None]]]) -> AnytimeCurve:
    kept = []
    for position, bests in rows:
        known = [best for best in bests if best is not None]
        if known and len(known) == len(bests):
            kept.append((position, fmean(known), min(known), max(known)))
    columns = list(zip(*kept, strict=True)) or [(), (), (), ()]
    return AnytimeCurve(*columns)
