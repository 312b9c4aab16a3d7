"""Calibration: what is planted is found again, and qualities are those of a hand's calculation."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.calibration import Calibration, PredictionQuality


@pytest.mark.parametrize(("scale", "floor"), [(2.0, 0.5), (0.5, 2.0), (3.0, 0.0)])
def test_planted_deviations_are_found(scale: float, floor: float) -> None:
    generator = np.random.default_rng(0)
    predicted = generator.uniform(0.1, 3.0, 5000)
    true = np.sqrt((scale * predicted) ** 2 + floor**2)
    found = Calibration.fitted(np.zeros(5000), predicted, true * generator.standard_normal(5000))
    assert found.scale == pytest.approx(scale, rel=0.1, abs=0.05)
    assert found.floor == pytest.approx(floor, rel=0.1, abs=0.1)
    assert found.deviations(np.array([1.0]))[0] == pytest.approx(np.hypot(scale, floor), rel=0.1)


def test_the_unit_does_not_matter() -> None:
    generator = np.random.default_rng(1)
    predicted, errors = generator.uniform(0.1, 3.0, 300), generator.standard_normal(300)
    small = Calibration.fitted(np.zeros(300), predicted, errors)
    large = Calibration.fitted(np.zeros(300), 1e6 * predicted, 1e6 * errors)
    assert large.scale == pytest.approx(small.scale, rel=1e-3)
    assert large.floor == pytest.approx(1e6 * small.floor, rel=1e-3)


def test_a_predictor_without_deviations_gets_a_floor() -> None:
    found = Calibration.fitted(np.zeros(4), np.zeros(4), np.array([2.0, -2.0, 2.0, -2.0]))
    assert found.deviations(np.zeros(1))[0] == pytest.approx(2.0, rel=1e-3)


def test_one_example_calibrates_nothing() -> None:
    with pytest.raises(ValueError, match="give at least 2"):
        Calibration.fitted(np.zeros(1), np.ones(1), np.ones(1))


def test_qualities_by_hand() -> None:
    means, observed = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    found = PredictionQuality.measured(means, np.full(4, 0.5), observed)
    # squared errors 0, 1, 1, 0 of a sum of squares of 5; five of six pairs in order
    assert found.r2 == pytest.approx(1 - 2 / 5)
    assert found.kendall_tau == pytest.approx(4 / 6)
    assert found.root_mean_squared_error == pytest.approx(np.sqrt(0.5))
    # two observations are in the middle of every interval, two lie 2 deviations off, outside of that of 95 %
    assert found.coverage_90 == 0.5
    assert found.calibration_error == pytest.approx(np.mean([abs(0.5 - place / 20) for place in range(1, 20)]))


def test_true_deviations_are_calibrated() -> None:
    generator = np.random.default_rng(2)
    deviations = generator.uniform(0.5, 2.0, 4000)
    means = generator.standard_normal(4000)
    observed = means + deviations * generator.standard_normal(4000)
    assert PredictionQuality.measured(means, deviations, observed).calibration_error < 0.02
    assert PredictionQuality.measured(means, 3 * deviations, observed).calibration_error > 0.2


def test_a_constant_prediction_orders_nothing() -> None:
    found = PredictionQuality.measured(np.zeros(3), np.ones(3), np.array([-1.0, 0.0, 1.0]))
    assert (found.kendall_tau, found.r2) == (0.0, 0.0)
