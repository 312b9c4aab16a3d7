"""Anytime curves: the best score so far after each evaluation, of one repetition and over several."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective, excess


class Step(NamedTuple):
    """A point of an anytime curve.

    Attributes:
        evaluation: counted from 1.
        seconds: spent on evaluations so far.
        score: of this evaluation; None if it failed.
        best: so far, of those that keep all limits; None if there is none. Where fidelities differ, it is that of the
            highest so far, and so may fall when a higher one is reached.
    """

    evaluation: int
    seconds: float
    score: float | None
    best: float | None


def curve(evaluations: Sequence[Evaluation], goals: Sequence[Objective]) -> list[Step]:
    """Return the anytime curve of one repetition in the first objective; what exceeds a limit is never the best."""
    goal = goals[0]
    steps = []
    seconds, best, thoroughness = 0.0, None, 0.0
    for index, evaluation in enumerate(evaluations, start=1):
        seconds += evaluation.seconds
        score = evaluation.scores.get(goal.name)
        is_feasible = score is not None and excess(evaluation, goals) == 0
        if score is not None and is_feasible and evaluation.proposal.thoroughness >= thoroughness:
            if evaluation.proposal.thoroughness > thoroughness or best is None or goal.sign * score < goal.sign * best:
                best = score
            thoroughness = evaluation.proposal.thoroughness
        steps.append(Step(index, seconds, score, best))
    return steps


def anytime(by_seed: Mapping[int, Sequence[Step]]) -> list[tuple[int, float, float, float]]:
    """Return (evaluation, mean, lowest, highest best so far) where every repetition has one."""
    rows = []
    for steps in zip(*by_seed.values(), strict=False):
        known = [step.best for step in steps if step.best is not None]
        if len(known) == len(steps):
            rows.append((steps[0].evaluation, statistics.fmean(known), min(known), max(known)))
    return rows


def table(by_seed: Mapping[int, Sequence[Step]]) -> str:
    """Return the curves of all repetitions as CSV text, a column for the seed first."""
    rows = [(seed, *step) for seed, steps in by_seed.items() for step in steps]
    return csv_text(("seed", *Step._fields), rows)


def csv_text(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return CSV text; None becomes an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return text.getvalue()
