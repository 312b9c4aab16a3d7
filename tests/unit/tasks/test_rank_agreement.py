"""Rank correlations and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from tasks.rank_agreement import agreement, with_failures_last


def test_correlations_by_hand() -> None:
    found = agreement(np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4]), 100, np.random.default_rng(0))
    assert found.spearman.estimate == pytest.approx(0.8)
    assert found.kendall.estimate == pytest.approx(4 / 6)
    assert found.num_networks == 4


def test_correlations_and_interval_are_those_of_scipy_with_ties() -> None:
    generator = np.random.default_rng(1)
    first = generator.integers(0, 8, 40).astype(float)
    second = first + generator.integers(-3, 4, 40)
    found = agreement(first, second, 300, np.random.default_rng(2))
    assert found.spearman.estimate == pytest.approx(spearmanr(first, second).statistic)
    assert found.kendall.estimate == pytest.approx(kendalltau(first, second).statistic)
    draws = np.random.default_rng(2).integers(0, 40, (300, 40))
    for correlation, of in ((found.spearman, spearmanr), (found.kendall, kendalltau)):
        expected = np.quantile([of(first[draw], second[draw]).statistic for draw in draws], [0.025, 0.975])
        assert [correlation.low, correlation.high] == pytest.approx(expected.tolist())


def test_what_does_not_vary_has_no_correlation() -> None:
    found = agreement(np.ones(5), np.arange(5.0), 100, np.random.default_rng(0))
    assert found.spearman.estimate is found.kendall.low is None


@pytest.mark.parametrize(("goal", "expected"), [("maximize", -1.0), ("minimize", 1.0)])
def test_failures_rank_behind_the_worst(goal: str, expected: float) -> None:
    values = with_failures_last([5.0, None, 1e300 if goal == "minimize" else -1e300, None], goal)
    assert values[1] == values[3] == expected * np.inf
    found = agreement(values, np.arange(4.0), 100, np.random.default_rng(0))
    assert found.spearman.estimate is not None


def test_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same networks"):
        agreement(np.ones(3), np.ones(2), 100, np.random.default_rng(0))
