"""The winner against what it is compared with, and what can honestly be said of the difference."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from nas_core.robustness.intervals import Interval, summarize_runs, welch_interval
from tasks.reporting.quantities import points, points_interval, readable
from tasks.reporting.results import Document, Results


class Verdict(enum.Enum):
    """What a difference of accuracies says."""

    BETTER = "better"
    WORSE = "worse"
    TIE = "a tie"
    UNKNOWN = "not decided"


@dataclass(frozen=True)
class Comparison:
    """The winner's test accuracy less another's.

    Attributes:
        other: what it is compared with, with its article.
        short_name: the same in a word or two.
        difference: of the means, in 0..1.
        interval: of the difference; None where there are too few runs for one.
        smallest_step: the accuracy that one test example is worth; differences below it are ties.
    """

    other: str
    short_name: str
    difference: float
    interval: Interval | None
    smallest_step: float

    @property
    def verdict(self) -> Verdict:
        """A tie where the interval holds 0, or where the difference is less than one example."""
        if abs(self.difference) < self.smallest_step - 1e-12:
            return Verdict.TIE
        if self.interval is None:
            return Verdict.UNKNOWN
        if self.interval.low > 0:
            return Verdict.BETTER
        return Verdict.WORSE if self.interval.high < 0 else Verdict.TIE

    @property
    def sentence_part(self) -> str:
        """The comparison in words, without a period."""
        words = f"{points(self.difference)} points against {self.other}"
        if self.interval is None:
            return f"{words} (too few runs for an interval)"
        level = f"{100 * self.interval.confidence_level:.0f} %"
        return f"{words} ({level} interval {points_interval(self.interval)})"


def comparisons(results: Results) -> tuple[Comparison, ...]:
    """Return the winner against the reference, named networks, random ones, logistic regression; none without a winner.

    Welch's interval over runs for networks. Logistic regression has one run and no randomness, so its interval is
    Student's for the winner's mean alone.
    """
    winner = results.winner
    if winner is None:
        return ()
    own = test_values(winner)
    step = 1 / results.num_test
    reference, random = test_values(results.reference), test_values(results.random)
    regression = float(results.regression["test_accuracy"])
    return (
        Comparison("the reference network", "reference", *between(own, reference), step),
        *(
            Comparison(f"the baseline {readable(name)}", readable(name), *between(own, test_values(metrics)), step)
            for name, metrics in results.named.items()
        ),
        Comparison(f"{len(random)} random networks", "random networks", *between(own, random), step),
        Comparison("logistic regression", "logistic regression", *_above(own, regression), step),
    )


def test_values(metrics: Document) -> Sequence[float]:
    """Return the test accuracy of every run."""
    values: Sequence[float] = metrics["test_accuracy"]["values"]
    return values


def between(first: Sequence[float], second: Sequence[float]) -> tuple[float, Interval | None]:
    """Return the difference of the means and Welch's interval, which takes two runs of each."""
    difference = fmean(first) - fmean(second)
    return difference, welch_interval(first, second) if min(len(first), len(second)) > 1 else None


def _above(values: Sequence[float], fixed: float) -> tuple[float, Interval | None]:
    interval = summarize_runs([value - fixed for value in values]).interval
    return fmean(values) - fixed, interval
