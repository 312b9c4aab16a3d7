"""Means with their spread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.measures import spread


def test_by_hand() -> None:
    # mean 4, deviations -2, 0, 2, so the sample variance is (4 + 0 + 4) / 2
    assert spread([2.0, 4.0, 6.0]) == {"mean": 4.0, "standard_deviation": 2.0, "values": [2.0, 4.0, 6.0]}


def test_a_single_value_has_no_spread() -> None:
    assert spread([0.25]) == {"mean": 0.25, "standard_deviation": 0.0, "values": [0.25]}


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no values to average"):
        spread([])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_the_mean_lies_among_the_values(values: list[float]) -> None:
    found = spread(values)
    assert min(values) - 1e-12 <= found["mean"] <= max(values) + 1e-12
    assert found["standard_deviation"] >= 0
