"""Intervals, against hand-computed values and scipy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nas_core.robustness.intervals import Interval, summarize_runs, welch_interval, wilson_interval


def test_wilson_by_hand() -> None:
    # z = 1.959964, n = 10, p = 0.8: center (0.8 + 0.192073) / 1.384146,
    # reach 1.959964 sqrt(0.016 + 0.009604) / 1.384146
    interval = wilson_interval(8, 10)
    assert interval.estimate == 0.8
    assert interval.low == pytest.approx(0.490162, abs=1e-6)
    assert interval.high == pytest.approx(0.943318, abs=1e-6)


@settings(deadline=None)
@given(st.integers(1, 500), st.data())
def test_wilson_equals_scipy(num_images: int, data: st.DataObject) -> None:
    num_correct = data.draw(st.integers(0, num_images))
    interval = wilson_interval(num_correct, num_images, 0.9)
    expected = stats.binomtest(num_correct, num_images).proportion_ci(0.9, method="wilson")
    assert interval.low == pytest.approx(expected.low, abs=1e-9)
    assert interval.high == pytest.approx(expected.high, abs=1e-9)


def test_runs_by_hand() -> None:
    # mean 2, s = 1, t_2 = 4.302653
    summary = summarize_runs([1.0, 2.0, 3.0])
    assert (summary.mean, summary.standard_deviation, summary.num_runs) == (2, 1, 3)
    assert summary.interval is not None
    assert summary.interval.high == pytest.approx(2 + 4.302653 / math.sqrt(3), abs=1e-6)
    assert summary.interval.low == pytest.approx(2 - 4.302653 / math.sqrt(3), abs=1e-6)


def test_one_run_has_no_spread_and_equal_runs_have_none() -> None:
    single = summarize_runs([0.7])
    assert (single.mean, single.standard_deviation, single.interval) == (0.7, None, None)
    equal = summarize_runs([0.7, 0.7])
    assert equal.interval == Interval(0.7, 0.7, 0.7, 0.95)


values = st.lists(st.integers(-100, 100).map(float), min_size=2, max_size=6)


@pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")  # scipy, where a set does not vary
@settings(deadline=None)
@given(values, values)
def test_welch_equals_scipy(first: list[float], second: list[float]) -> None:
    interval = welch_interval(first, second)
    if len({*first}) == len({*second}) == 1:
        assert interval.low == interval.high == first[0] - second[0]
        return
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert interval.low == pytest.approx(expected.low, abs=1e-6)
    assert interval.high == pytest.approx(expected.high, abs=1e-6)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="11 correct of 10"):
        wilson_interval(11, 10)
    with pytest.raises(ValueError, match="confidence_level is 95"):
        wilson_interval(1, 10, 95)
    with pytest.raises(ValueError, match="values holds 0 runs; at least 1 are needed"):
        summarize_runs([])
    with pytest.raises(ValueError, match="leave failed runs out"):
        summarize_runs([1.0, math.nan])
    with pytest.raises(ValueError, match="second holds 1 runs; at least 2 are needed"):
        welch_interval([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="lies outside its interval"):
        Interval(2.0, 0.0, 1.0, 0.95)
