"""Mean corruption error."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas_core.robustness.errors import MeasuredErrors, mean_corruption_error


def test_by_hand() -> None:
    model = MeasuredErrors(0.1, {"fog": (0.2, 0.4), "snow": (0.1, 0.3)}, num_images=100)
    reference = MeasuredErrors(0.2, {"fog": (0.4, 0.8), "snow": (0.3, 0.5)}, num_images=100)
    result = mean_corruption_error(model, reference)
    fog, snow = result.corruptions
    assert fog.corruption_error_percent == pytest.approx(50)
    assert snow.corruption_error_percent == pytest.approx(50)
    assert fog.relative_corruption_error_percent == pytest.approx(100 * 0.4 / 0.8)
    assert snow.relative_corruption_error_percent == pytest.approx(100 * 0.2 / 0.4)
    assert fog.mean_error_percent == pytest.approx(30)
    assert result.mean_error_percent == pytest.approx(25)
    assert result.mean_corruption_error_percent == pytest.approx(50)
    assert result.relative_mean_corruption_error_percent == pytest.approx(50)
    assert not fog.is_floored
    assert not fog.is_relative_floored


def test_the_reference_against_itself_is_100() -> None:
    errors = MeasuredErrors(0.05, {"fog": (0.1, 0.2, 0.3, 0.4, 0.5)}, num_images=1000)
    result = mean_corruption_error(errors, errors)
    assert result.mean_corruption_error_percent == pytest.approx(100)
    assert result.relative_mean_corruption_error_percent == pytest.approx(100)


def test_a_reference_without_errors_counts_as_one_error() -> None:
    model = MeasuredErrors(0.0, {"fog": (0.0, 0.03)}, num_images=100)
    reference = MeasuredErrors(0.0, {"fog": (0.0, 0.0)}, num_images=100)
    fog = mean_corruption_error(model, reference).corruptions[0]
    assert fog.is_floored
    assert fog.is_relative_floored
    assert fog.corruption_error_percent == pytest.approx(300)


def test_a_reference_that_gains_from_a_corruption_is_floored_in_the_relative_error_alone() -> None:
    model = MeasuredErrors(0.1, {"brightness": (0.2,)}, num_images=10)
    reference = MeasuredErrors(0.3, {"brightness": (0.2,)}, num_images=10)
    one = mean_corruption_error(model, reference).corruptions[0]
    assert not one.is_floored
    assert one.is_relative_floored
    assert one.relative_corruption_error_percent == pytest.approx(100)


rates = st.lists(st.floats(0, 1), min_size=5, max_size=5)


@settings(deadline=None)
@given(rates, rates, st.floats(0, 1), st.floats(0, 1))
def test_always_finite_and_plain(model: list[float], reference: list[float], clean: float, other: float) -> None:
    result = mean_corruption_error(
        MeasuredErrors(clean, {"fog": model}, 360), MeasuredErrors(other, {"fog": reference}, 360)
    )
    assert math.isfinite(result.mean_corruption_error_percent)
    assert math.isfinite(result.relative_mean_corruption_error_percent)
    json.dumps(dataclasses.asdict(result), allow_nan=False)


@pytest.mark.parametrize(
    ("corrupted", "num_images", "message"),
    [
        ({"snow": (0.1,)}, 10, "fog, snow; measure both on the same"),
        ({"fog": (0.1, 0.2)}, 10, "fog has 1 severities for the model, 2 for the reference"),
        ({"fog": (0.1,)}, 11, "the model saw 10 images, the reference 11"),
    ],
)
def test_refuses_what_cannot_be_compared(
    corrupted: dict[str, tuple[float, ...]], num_images: int, message: str
) -> None:
    model = MeasuredErrors(0.1, {"fog": (0.1,)}, 10)
    with pytest.raises(ValueError, match=message):
        mean_corruption_error(model, MeasuredErrors(0.1, corrupted, num_images))


@pytest.mark.parametrize(
    ("clean", "corrupted", "num_images"),
    [
        (1.1, {"fog": (0.1,)}, 1),
        (0.1, {"fog": (math.nan,)}, 1),
        (0.1, {"fog": ()}, 1),
        (0.1, {}, 1),
        (0.1, {"fog": (0,)}, 0),
    ],
)
def test_refuses_impossible_errors(clean: float, corrupted: dict[str, tuple[float, ...]], num_images: int) -> None:
    with pytest.raises(ValueError):
        MeasuredErrors(clean, corrupted, num_images)
