"""The finished repetitions of a comparison, by benchmark and strategy, and what is measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nas_core.objectives import Objective
from nas_core.robustness.intervals import CONFIDENCE_LEVEL, RunSummary, student_quantile, summarize_runs
from tasks.comparison.course import Course, values_on
from tasks.comparison.field import Best
from tasks.settings.comparison import ContestantSettings


@dataclass(frozen=True)
class Band:
    """A mean over repetitions with Student's interval, where every repetition has a value.

    Attributes:
        evaluations: (num_costs,) rising.
        means: likewise.
        lows: lower ends.
        highs: upper ends.
    """

    evaluations: NDArray[np.float64]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]


@dataclass(frozen=True)
class Contender:
    """The repetitions of one strategy on one benchmark.

    Attributes:
        key: of the strategy.
        settings: its own.
        courses: by budget, in the order of the seeds; one budget where smaller ones are its beginning.
    """

    key: str
    settings: ContestantSettings
    courses: Mapping[int, tuple[Course, ...]]

    def run_for(self, budget: int) -> int:
        """Return the budget of the searches that tell what was reached by a budget."""
        return budget if budget in self.courses else max(self.courses)

    def courses_for(self, budget: int) -> tuple[Course, ...]:
        """Return the courses of those searches."""
        return self.courses[self.run_for(budget)]

    @property
    def longest(self) -> tuple[Course, ...]:
        """The courses for the largest budget."""
        return self.courses[max(self.courses)]


@dataclass(frozen=True)
class Arena:
    """What happened on one benchmark.

    Attributes:
        key: of the benchmark.
        goal: the first objective.
        reported: name of the measurement that is looked up for the report; None for none.
        best: the best possible.
        files: SHA-256 of the files that it was read from, by name as the settings write it.
        contenders: in the order of the comparison.
    """

    key: str
    goal: Objective
    reported: str | None
    best: Best
    files: Mapping[str, str]
    contenders: tuple[Contender, ...]

    @property
    def measures(self) -> tuple[str, ...]:
        """Names of what regret is measured in: that by which strategies are ranked first."""
        return (self.goal.name,) if self.reported is None else (self.reported, self.goal.name)

    def best_of(self, measure: str) -> float:
        """Return the best possible value of a measure."""
        if measure != self.reported:
            return self.best.score
        assert self.best.reported is not None
        return self.best.reported

    def reached(self, contender: Contender, measure: str, budget: int) -> NDArray[np.float64]:
        """Return what each repetition had reached by a budget, in the order of the seeds; NaN for nothing."""
        costs = np.array([budget], dtype=np.float64)
        found: NDArray[np.float64] = values_on(contender.courses_for(budget), costs, reported=measure == self.reported)[
            :, 0
        ]
        return found

    def regrets(self, contender: Contender, measure: str, budget: int) -> NDArray[np.float64]:
        """Return by how much the best possible was missed, at least 0 but for rounding; NaN for nothing reached."""
        return self._regret(measure, self.reached(contender, measure, budget))

    def band(self, contender: Contender, measure: str, evaluations: NDArray[np.float64]) -> Band:
        """Return the mean regret at some costs, with its interval."""
        values = values_on(contender.longest, evaluations, reported=measure == self.reported)
        regrets = self._regret(measure, values)
        known = ~np.isnan(regrets).any(axis=0)
        regrets = regrets[:, known]
        means = regrets.mean(axis=0)
        num_runs = len(regrets)
        reach = student_quantile(CONFIDENCE_LEVEL, num_runs - 1) * regrets.std(axis=0, ddof=1) / np.sqrt(num_runs)
        return Band(evaluations[known], means, means - reach, means + reach)

    def _regret(self, measure: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.goal.sign * (values - self.best_of(measure))


def summarized(values: NDArray[np.float64]) -> RunSummary | None:
    """Return mean, spread and Student's interval of values over repetitions; None where one reached nothing."""
    return None if np.isnan(values).any() else summarize_runs(values.tolist())
