"""How far a measured accuracy, a mean over seeds or a difference of means can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

CONFIDENCE_LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its two-sided confidence interval.

    Attributes:
        estimate: the point estimate.
        low: lower end.
        high: upper end.
        confidence_level: above 0, below 1.
    """

    estimate: float
    low: float
    high: float
    confidence_level: float

    def __post_init__(self) -> None:
        """Check that the interval is one."""
        check_level(self.confidence_level)
        if not self.low <= self.estimate <= self.high:
            raise ValueError(f"the estimate {self.estimate} lies outside its interval {self.low}..{self.high}")


@dataclass(frozen=True)
class RunSummary:
    """Mean and spread over runs that differ in their seed.

    Attributes:
        mean: over the runs.
        standard_deviation: of the sample (divided by num_runs - 1); None for a single run.
        interval: Student's t-interval of the mean; None for a single run.
        num_runs: 1 or more.
    """

    mean: float
    standard_deviation: float | None
    interval: Interval | None
    num_runs: int


def wilson_interval(num_correct: int, num_images: int, confidence_level: float = CONFIDENCE_LEVEL) -> Interval:
    """Return the accuracy and its Wilson score interval.

    (p + z^2 / 2n +- z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n), p the share that is correct, n the images, z
    the normal quantile. Wilson (1927), as recommended for shares near 0 or 1. Follows the paper.

    Args:
        num_correct: 0 to num_images.
        num_images: 1 or more.
        confidence_level: above 0, below 1.

    Raises:
        ValueError: the arguments are not as above.
    """
    check_level(confidence_level)
    if num_images < 1 or not 0 <= num_correct <= num_images:
        raise ValueError(
            f"{num_correct} correct of {num_images}; num_images must be 1 or more and not below num_correct"
        )
    share = num_correct / num_images
    quantile = NormalDist().inv_cdf((1 + confidence_level) / 2)
    spread = quantile**2 / num_images
    center = (share + spread / 2) / (1 + spread)
    reach = quantile * math.sqrt(share * (1 - share) / num_images + spread / (4 * num_images)) / (1 + spread)
    # at shares of 0 and 1 an end equals the share, which rounding would miss
    low = min(share, center - reach) if num_correct else 0.0
    high = max(share, center + reach) if num_correct < num_images else 1.0
    return Interval(share, low, high, confidence_level)


def summarize_runs(values: Sequence[float], confidence_level: float = CONFIDENCE_LEVEL) -> RunSummary:
    """Return mean, standard deviation and t-interval of the mean over a handful of seeds.

    mean +- t_{n-1} s / sqrt(n).

    Args:
        values: one finite number a run, at least one.
        confidence_level: above 0, below 1.

    Raises:
        ValueError: the arguments are not as above.
    """
    check_level(confidence_level)
    check_runs("values", values, at_least=1)
    mean = fmean(values)
    if len(values) == 1:
        return RunSummary(mean, None, None, 1)
    deviation = stdev(values)
    reach = student_quantile(confidence_level, len(values) - 1) * deviation / math.sqrt(len(values))
    return RunSummary(mean, deviation, Interval(mean, mean - reach, mean + reach, confidence_level), len(values))


def welch_interval(
    first: Sequence[float], second: Sequence[float], confidence_level: float = CONFIDENCE_LEVEL
) -> Interval:
    """Return mean(first) - mean(second) and its interval, without assuming equal variances.

    difference +- t_v sqrt(a + b), a = s_1^2 / n_1, b = s_2^2 / n_2,
    v = (a + b)^2 / (a^2 / (n_1 - 1) + b^2 / (n_2 - 1)).
    Welch (1947). Follows the paper. When no value differs within either set, the interval is the difference itself.

    Args:
        first: one finite number a run, at least two.
        second: likewise, runs independent of the first.
        confidence_level: above 0, below 1.

    Raises:
        ValueError: the arguments are not as above.
    """
    check_level(confidence_level)
    check_runs("first", first, at_least=2)
    check_runs("second", second, at_least=2)
    difference = fmean(first) - fmean(second)
    first_part, second_part = stdev(first) ** 2 / len(first), stdev(second) ** 2 / len(second)
    variance = first_part + second_part
    if variance == 0:
        return Interval(difference, difference, difference, confidence_level)
    # shares of the variance, so that squares of tiny variances do not vanish
    first_share, second_share = first_part / variance, second_part / variance
    freedom = 1 / (first_share**2 / (len(first) - 1) + second_share**2 / (len(second) - 1))
    reach = student_quantile(confidence_level, freedom) * math.sqrt(variance)
    return Interval(difference, difference - reach, difference + reach, confidence_level)


def student_quantile(confidence_level: float, degrees_of_freedom: float) -> float:
    """Return t such that a Student variable lies within -t..t with probability `confidence_level`."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees_of_freedom, (1 + confidence_level) / 2))


def check_level(confidence_level: float) -> None:
    """Raise a ValueError unless the level is above 0 and below 1."""
    if not 0 < confidence_level < 1:
        raise ValueError(f"confidence_level is {confidence_level}; it must be above 0 and below 1, such as 0.95")


def check_runs(name: str, values: Sequence[float], at_least: int) -> None:
    """Raise a ValueError unless there are enough values and all are finite."""
    if len(values) < at_least:
        raise ValueError(f"{name} holds {len(values)} runs; at least {at_least} are needed")
    if not all(math.isfinite(value) for value in values):
        raise ValueError(f"{name} is {list(values)}; every value must be finite (leave failed runs out)")
