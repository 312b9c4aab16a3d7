"""The course of one repetition: what a search recommended from when on, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Step(NamedTuple):
    """A recommendation that differs from the one before.

    Attributes:
        evaluations: what the search had cost by then, in evaluations without a fidelity.
        score: of the recommended architecture in the first objective.
        reported: its reported measurement, which chose nothing; None where none is reported.
    """

    evaluations: float
    score: float
    reported: float | None


@dataclass(frozen=True)
class Course:
    """One finished repetition.

    Attributes:
        seed: of all its random streams.
        steps: by rising cost, none above the budget; empty if nothing succeeded.
        num_evaluations: asked for in all, repeated and failed ones included.
        num_failures: among them.
        num_distinct: different architectures among them.
        num_screened: cheap scores that the strategy asked for besides.
        seconds: of processor and waiting; the only clock.
    """

    seed: int
    steps: tuple[Step, ...]
    num_evaluations: int
    num_failures: int
    num_distinct: int
    num_screened: int
    seconds: float

    def at(self, evaluations: float) -> Step | None:
        """Return the step that counts once so much was spent; None before the first."""
        found = None
        for step in self.steps:
            if step.evaluations > evaluations:
                break
            found = step
        return found

    def to_json(self) -> dict[str, Any]:
        """Return what `json` can write."""
        return {**vars(self), "steps": [list(step) for step in self.steps]}


def from_json(value: Mapping[str, Any]) -> Course:
    """Return the course that `to_json` wrote."""
    return Course(**{**value, "steps": tuple(Step(*step) for step in value["steps"])})


def values_on(
    courses: Sequence[Course], evaluations: NDArray[np.float64], *, reported: bool = False
) -> NDArray[np.float64]:
    """Return what the courses had reached at some costs.

    Args:
        courses: repetitions of one search.
        evaluations: (num_costs,) rising.
        reported: the reported measurement, and not the first objective.

    Returns:
        (num_courses, num_costs); NaN before a course's first step.
    """
    found = np.full((len(courses), len(evaluations)), np.nan)
    for row, course in zip(found, courses, strict=True):
        if not course.steps:
            continue
        places = np.searchsorted([step.evaluations for step in course.steps], evaluations, side="right")
        values = np.array([np.nan, *((step.reported if reported else step.score) for step in course.steps)], np.float64)
        row[:] = values[places]
    return found
