"""The difference between a mean of ours and a published one, of which only mean and spread are known."""

from __future__ import annotations

import math

from nas_core.robustness.intervals import CONFIDENCE_LEVEL, Interval, RunSummary, student_quantile


def difference(ours: RunSummary, mean: float, standard_deviation: float | None, num_runs: int | None) -> Interval:
    """Return our mean less a published one, with Welch's interval.

    difference +- t_v sqrt(a + b), a = s_1^2 / n_1, b = s_2^2 / n_2, v = (a + b)^2 / (a^2 / (n_1 - 1) + b^2 / (n_2 - 1))
    (Welch 1947). Where the spread or the number of the published runs is not known, the published mean is taken as it
    is, b = 0, and the interval is ours alone.

    Args:
        ours: over at least two repetitions.
        mean: published.
        standard_deviation: over the published runs; None if not known.
        num_runs: published; None if not known.

    Raises:
        ValueError: ours has no spread.
    """
    if ours.standard_deviation is None:
        raise ValueError("an interval takes two repetitions or more")
    apart = ours.mean - mean
    own = ours.standard_deviation**2 / ours.num_runs
    theirs = 0.0 if standard_deviation is None or num_runs is None else standard_deviation**2 / num_runs
    if own + theirs == 0:
        return Interval(apart, apart, apart, CONFIDENCE_LEVEL)
    denominator = own**2 / (ours.num_runs - 1)
    if theirs and num_runs is not None:
        denominator += theirs**2 / (num_runs - 1)
    degrees = (own + theirs) ** 2 / denominator
    reach = student_quantile(CONFIDENCE_LEVEL, degrees) * math.sqrt(own + theirs)
    return Interval(apart, apart - reach, apart + reach, CONFIDENCE_LEVEL)
