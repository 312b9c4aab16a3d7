"""How far two measurements rank networks alike: Spearman's rho and Kendall's tau-b, with bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

CONFIDENCE_LEVEL = 0.95
NUM_TOGETHER = 250
"""Resamples that are worked on at once, which bounds the memory."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Correlation:
    """A rank correlation over networks.

    Attributes:
        estimate: over all networks, -1 to 1; None where one side does not vary.
        low: lower end of the percentile interval over resampled networks; None without an estimate.
        high: its upper end.
    """

    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Agreement:
    """How far two measurements rank the same networks alike.

    Attributes:
        spearman: correlation of the ranks, ties sharing their mean rank.
        kendall: tau-b.
        num_networks: that have both measurements.
    """

    spearman: Correlation
    kendall: Correlation
    num_networks: int


def with_failures_last(values: list[float | None], goal: Literal["maximize", "minimize"]) -> Values:
    """Return values in which a failure, None, ranks behind every score and level with any other failure.

    The numbers that stand for failures are infinite: they have a rank and nothing else.
    """
    last = -np.inf if goal == "maximize" else np.inf
    return np.array([last if value is None else value for value in values], dtype=np.float64)


def agreement(first: Values, second: Values, num_resamples: int, generator: np.random.Generator) -> Agreement:
    """Return the rank correlations of two measurements of the same networks, with 95 % percentile intervals.

    The interval is that of Efron (1979) over networks drawn with replacement; a resample in which one side does not
    vary has no correlation and is left out.

    Args:
        first: (networks,), infinite where only the rank is known.
        second: likewise.
        num_resamples: of the bootstrap, at least 1.
        generator: draws the resamples.

    Raises:
        ValueError: the two differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values; give two measurements of the same networks")
    number = len(first)
    draws = generator.integers(0, number, (num_resamples, number))
    everything = np.arange(number)[None]
    orders = _signs(first), _signs(second)
    rho, tau = [], []
    for start in range(0, num_resamples, NUM_TOGETHER):
        together = draws[start : start + NUM_TOGETHER]
        rho.append(_spearman(first[together], second[together]))
        tau.append(_kendall(*orders, together))
    return Agreement(
        _interval(_spearman(first[everything], second[everything]), np.concatenate(rho)),
        _interval(_kendall(*orders, everything), np.concatenate(tau)),
        number,
    )


def spearman(first: Values, second: Values) -> float | None:
    """Return Spearman's rho of two measurements; None where one does not vary."""
    return _number(_spearman(first[None], second[None])[0])


def _interval(estimates: Values, resampled: Values) -> Correlation:
    estimate = _number(estimates[0])
    defined = resampled[np.isfinite(resampled)]
    if estimate is None or not len(defined):
        return Correlation(None, None, None)
    outside = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.quantile(defined, [outside, 1 - outside])
    return Correlation(estimate, float(low), float(high))


def _spearman(first: Values, second: Values) -> Values:
    """Return the correlation of the ranks of each row (rows,), not a number where one side does not vary."""
    from scipy.stats import rankdata

    centered = [rankdata(each, axis=1) - (each.shape[1] + 1) / 2 for each in (first, second)]
    spreads = [(each * each).sum(1) for each in centered]
    return _quotient((centered[0] * centered[1]).sum(1), spreads[0] * spreads[1])


def _signs(values: Values) -> Values:
    """Return for each pair of networks whether the one is more (1), less (-1) or the same (0)."""
    more = values[:, None] > values[None, :]
    return more.astype(np.float64) - more.T


def _kendall(first: Values, second: Values, draws: NDArray[np.int64]) -> Values:
    """Return tau-b of each resample (rows,) out of the signs of all pairs, by how often it has each network.

    With c the counts, ``sum_ij c_i c_j s_ij t_ij / sqrt(sum c_i c_j s_ij^2 sum c_i c_j t_ij^2)``.
    """
    counts = np.stack([np.bincount(draw, minlength=len(first)) for draw in draws]).astype(np.float64)

    def total(pairs: Values) -> Values:
        return np.asarray(((counts @ pairs) * counts).sum(1), dtype=np.float64)

    return _quotient(total(first * second), total(first * first) * total(second * second))


def _quotient(covariances: Values, squares: Values) -> Values:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Values = np.where(squares > 0, covariances / np.sqrt(squares), np.nan)
    return found


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
