"""Ranks and their tests, against published numbers, other libraries and hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from tasks.comparison.ranking import (
    Ranking,
    critical_difference,
    friedman,
    holm,
    nemenyi,
    ranking,
    tie_correction,
    wilcoxon_holm,
)

COSTS = {
    "a": [1.0, 2.0, 1.0, 1.0, 3.0, 1.0, 1.0, 2.0],
    "b": [2.0, 1.0, 2.0, 3.0, 2.0, 2.0, 3.0, 3.0],
    "c": [3.0, 3.0, 2.0, 4.0, 1.0, 3.0, 4.0, 4.0],
}


def test_the_example_of_demsar() -> None:
    """Demsar (2006, JMLR 7), section 3.2.2: four classifiers on fourteen data sets."""
    found = friedman((3.143, 2.000, 2.893, 1.964), 14)
    assert found.chi_square == pytest.approx(9.28, abs=0.01)
    assert found.f == pytest.approx(3.69, abs=0.01)
    assert found.f_p < 0.05  # the critical value of F(3, 39) is 2.85
    assert critical_difference(4, 14, 0.05) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, 0.10) == pytest.approx(1.12, abs=0.005)  # q is 2.291


def test_the_quantiles_of_nemenyi() -> None:
    """Demsar (2006), table 5(a): q at level .05 for 2 to 10 classifiers."""
    table = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    for k, quantile in enumerate(table, start=2):
        assert critical_difference(k, 6, 0.05) == pytest.approx(quantile * (k * (k + 1) / 36) ** 0.5, abs=0.001)


def test_friedman_with_ties_is_that_of_scipy() -> None:
    found = ranking(COSTS, "nemenyi", 0.05)
    expected = friedmanchisquare(*COSTS.values())
    assert found.friedman.chi_square == pytest.approx(expected.statistic)
    assert found.friedman.chi_square_p == pytest.approx(expected.pvalue)
    # a tie shares ranks 2 and 3 in the third block
    assert found.mean_ranks == (11 / 8, 15.5 / 8, 21.5 / 8)
    assert found.num_blocks == 8


def test_ties_by_hand() -> None:
    # groups of 2 and of 3: (8 - 2) + (27 - 3) = 30 of 2 * 3 * 8 = 48
    assert tie_correction(np.array([[1.5, 1.5, 3.0], [2.0, 2.0, 2.0]])) == 1 - 30 / 48
    assert tie_correction(np.array([[1.0, 2.0, 3.0]])) == 1.0


def test_strategies_that_always_tie_do_not_differ() -> None:
    for post_hoc in ("nemenyi", "wilcoxon_holm"):
        found = ranking({"a": [1.0, 2.0, 1.0], "b": [1.0, 2.0, 1.0]}, post_hoc, 0.05)  # type: ignore[arg-type]
        assert (found.friedman.chi_square, found.friedman.chi_square_p) == (0.0, 1.0)
        assert found.p_values == ((1.0, 1.0), (1.0, 1.0))


def test_ranks_that_are_the_same_in_all_blocks_have_no_finite_f() -> None:
    found = ranking({"a": [1.0, 1.0, 1.0], "b": [2.0, 2.0, 2.0]}, "nemenyi", 0.05)
    assert (found.friedman.f, found.friedman.f_p) == (None, 0.0)
    assert found.friedman.chi_square == pytest.approx(3.0)


def test_rounding_does_not_decide_a_rank() -> None:
    found = ranking({"a": [0.1 + 0.2, 0.3], "b": [0.3, 0.1 + 0.2]}, "nemenyi", 0.05)
    assert found.mean_ranks == (1.5, 1.5)


def test_holm_by_hand() -> None:
    # ascending .01 x 4, .02 x 3, .03 x 2 (below .06, so .06), .2 x 1
    assert holm([0.03, 0.01, 0.2, 0.02]) == pytest.approx([0.06, 0.04, 0.2, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]


def test_wilcoxon_by_hand() -> None:
    """Five differences of one sign: the exact p is 2 / 2^5, times the number of pairs that are left."""
    values = np.array([[float(i), float(2 * i + 1), 100.0 + 7 * i] for i in range(1, 6)])
    assert wilcoxon_holm(values)[0, 1] == pytest.approx(3 * 2 / 2**5)


def test_nemenyi_agrees_with_the_critical_difference() -> None:
    generator = np.random.Generator(np.random.PCG64(0))
    values = generator.random((40, 4)) + np.array([0.0, 0.1, 0.3, 0.35])
    found: Ranking = ranking({name: values[:, i].tolist() for i, name in enumerate("abcd")}, "nemenyi", 0.05)
    p_values = nemenyi(values)
    assert found.critical_difference is not None
    for i in range(4):
        for j in range(4):
            apart = abs(found.mean_ranks[i] - found.mean_ranks[j]) > found.critical_difference
            assert (p_values[i, j] < 0.05) == apart


@pytest.mark.parametrize("costs", [{"a": [1.0, 2.0]}, {"a": [1.0], "b": [2.0]}])
def test_too_little_to_rank(costs: dict[str, list[float]]) -> None:
    with pytest.raises(ValueError, match="ranks take at least two of each"):
        ranking(costs, "nemenyi", 0.05)
