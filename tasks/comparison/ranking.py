"""Which strategies differ: mean ranks over blocks, Friedman's test, then Nemenyi's or pairwise Wilcoxon tests."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

PostHoc = Literal["nemenyi", "wilcoxon_holm"]
DIGITS = 10
"""Decimals to which values are equal: beyond them they differ by the order in which they were summed."""


@dataclass(frozen=True)
class Friedman:
    """Friedman's test that all ranks are alike.

    Attributes:
        chi_square: the statistic, with k - 1 degrees of freedom.
        chi_square_p: its p-value.
        f: Iman and Davenport's statistic, with k - 1 and (k - 1)(N - 1) degrees of freedom; None if it is infinite, for
            ranks that are the same in all blocks.
        f_p: its p-value.
    """

    chi_square: float
    chi_square_p: float
    f: float | None
    f_p: float


@dataclass(frozen=True)
class Ranking:
    """Strategies by mean rank, 1 the best, and which of them differ.

    Attributes:
        names: of the strategies.
        mean_ranks: of each.
        num_blocks: over how many blocks.
        friedman: whether any differ.
        post_hoc: the test of pairs.
        significance: its level.
        critical_difference: by which mean ranks differ at that level; None for tests that have none.
        p_values: (k, k) of the pairs, adjusted for their number, 1 on the diagonal.
    """

    names: tuple[str, ...]
    mean_ranks: tuple[float, ...]
    num_blocks: int
    friedman: Friedman
    post_hoc: PostHoc
    significance: float
    critical_difference: float | None
    p_values: tuple[tuple[float, ...], ...]


def ranking(costs: Mapping[str, Sequence[float]], post_hoc: PostHoc, significance: float) -> Ranking:
    """Return the ranking of strategies by their costs in the same blocks.

    Args:
        costs: of each strategy, one a block, lower is better; at least two strategies and two blocks.
        post_hoc: "nemenyi" or "wilcoxon_holm".
        significance: above 0, below 1.

    Raises:
        ValueError: there are fewer.
    """
    from scipy.stats import rankdata

    names = tuple(costs)
    values = np.round(np.array([costs[name] for name in names], dtype=np.float64).T, DIGITS)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"{values.shape[::-1]} strategies and blocks; ranks take at least two of each")
    ranks = rankdata(values, axis=1)
    mean_ranks = tuple(ranks.mean(axis=0).tolist())
    num_blocks, num_names = values.shape
    tests = {"nemenyi": lambda: nemenyi(values), "wilcoxon_holm": lambda: wilcoxon_holm(values)}
    return Ranking(
        names,
        mean_ranks,
        num_blocks,
        friedman(mean_ranks, num_blocks, tie_correction(ranks)),
        post_hoc,
        significance,
        critical_difference(num_names, num_blocks, significance) if post_hoc == "nemenyi" else None,
        tuple(map(tuple, tests[post_hoc]().tolist())),
    )


def friedman(mean_ranks: Sequence[float], num_blocks: int, correction: float = 1.0) -> Friedman:
    """Return Friedman's test (1937), and the less conservative F of Iman and Davenport (1980).

    chi^2 = 12 N / (k (k + 1)) (sum_j R_j^2 - k (k + 1)^2 / 4) / c, F = (N - 1) chi^2 / (N (k - 1) - chi^2), as in
    Demsar (2006, JMLR 7). Differs from that: c corrects for ties (Conover), 1 where there are none.

    Args:
        mean_ranks: R_j of k strategies, at least two.
        num_blocks: N, at least two.
        correction: c, of `tie_correction`.
    """
    from scipy.special import chdtrc, fdtrc

    k = len(mean_ranks)
    spread = math.fsum(rank**2 for rank in mean_ranks) - k * (k + 1) ** 2 / 4
    chi_square = max(0.0, 12 * num_blocks / (k * (k + 1)) * spread / correction) if correction else 0.0
    remainder = num_blocks * (k - 1) - chi_square
    statistic = (num_blocks - 1) * chi_square / remainder if remainder > 1e-9 else None
    f_p = 0.0 if statistic is None else float(fdtrc(k - 1, (k - 1) * (num_blocks - 1), statistic))
    return Friedman(chi_square, float(chdtrc(k - 1, chi_square)), statistic, f_p)


def tie_correction(ranks: NDArray[np.float64]) -> float:
    """Return 1 - sum (t^3 - t) / (N k (k^2 - 1)) over the groups of t equal ranks in (N, k) ranks; 0 if all tie."""
    num_blocks, k = ranks.shape
    sizes = [np.unique(row, return_counts=True)[1] for row in ranks]
    ties = sum(float((size.astype(np.float64) ** 3 - size).sum()) for size in sizes)
    return 1.0 - ties / float(num_blocks * k * (k * k - 1))


def critical_difference(num_names: int, num_blocks: int, significance: float) -> float:
    """Return Nemenyi's critical difference of mean ranks, q sqrt(k (k + 1) / (6 N)).

    q is the upper quantile of the studentized range with infinitely many degrees of freedom, divided by sqrt 2 (Demsar
    2006). Follows the paper.
    """
    from scipy.stats import studentized_range  # type: ignore[attr-defined]  # made while scipy is imported

    quantile = float(studentized_range.ppf(1 - significance, num_names, np.inf)) / math.sqrt(2)
    return quantile * math.sqrt(num_names * (num_names + 1) / (6 * num_blocks))


def nemenyi(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-values (k, k) of Nemenyi's test of all pairs, given costs (N, k)."""
    from scikit_posthocs import posthoc_nemenyi_friedman

    found: NDArray[np.float64] = posthoc_nemenyi_friedman(values).to_numpy(dtype=np.float64)
    return np.clip(found, 0.0, 1.0)


def wilcoxon_holm(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p-values (k, k) of Wilcoxon's signed-rank test of all pairs, after Holm, given costs (N, k).

    Differences of 0 are split evenly between both signs, as in Demsar (2006).
    """
    from scipy.stats import wilcoxon

    pairs = list(itertools.combinations(range(values.shape[1]), 2))
    raw = []
    for first, second in pairs:
        differences = np.round(values[:, first] - values[:, second], DIGITS)
        raw.append(float(wilcoxon(differences, zero_method="zsplit").pvalue) if differences.any() else 1.0)
    found = np.ones((values.shape[1], values.shape[1]))
    for (first, second), p_value in zip(pairs, holm(raw), strict=True):
        found[first, second] = found[second, first] = p_value
    return found


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted by Holm (1979): the i-th smallest of m times m - i + 1, none below the one before."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for number, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - number)))
        adjusted[index] = highest
    return adjusted
