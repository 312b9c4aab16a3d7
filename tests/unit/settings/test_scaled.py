"""A smaller budget for a trial of the whole chain."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.settings.scaled import LEAST, LISTS, scaled


def test_what_costs_time_becomes_less_and_the_rest_stays() -> None:
    value = {
        "budget": {"evaluations": 40, "round_size": 10},
        "seeds": [4, 5, 6],
        "schedule": {"epochs": 40, "warmup_epochs": 3, "batch_size": 64, "augment": True},
        "entries": [{"epochs": 10}],
        "random_architectures": 8,
        "name": "epochs",
    }
    before = copy.deepcopy(value)
    assert scaled(value, 0.1) == {
        "budget": {"evaluations": 4, "round_size": 1},
        "seeds": [4],
        "schedule": {"epochs": 4, "warmup_epochs": 0, "batch_size": 64, "augment": True},
        "entries": [{"epochs": 1}],
        "random_architectures": 2,
        "name": "epochs",
    }
    assert value == before


@given(st.sampled_from(sorted(LEAST)), st.integers(1, 1000), st.floats(0.001, 1.0))
def test_a_number_never_grows_and_never_falls_below_its_least(name: str, number: int, factor: float) -> None:
    small = scaled({name: number}, factor)[name]
    assert min(number, LEAST[name]) <= small <= number


def test_what_is_no_number_is_left_for_the_check_to_refuse() -> None:
    value = {"epochs": "many", "evaluations": True, "seeds": 3, "round_size": None}
    assert scaled(value, 0.5) == value
    assert set(LISTS) == {"seeds"}


@pytest.mark.parametrize("factor", [0.001, 0.01, 0.1, 0.5, 1.0])
def test_the_projects_settings_stay_right(
    factor: float, original: dict[str, Any], error_after: Callable[..., str]
) -> None:
    def change(document: dict[str, Any]) -> None:
        document.update(scaled(original, factor))

    assert error_after(change) == ""
