"""Acquisition functions, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from nas_core.acquisition import confidence_bound, expected_improvement, predicted_mean, thompson_sampling

MEAN = np.array([1.0, 2.0, 3.0])
DEVIATION = np.array([0.5, 1.0, 2.0])


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_mean_and_the_bound() -> None:
    assert predicted_mean(MEAN, DEVIATION, 0.0, generator()).tolist() == [1.0, 2.0, 3.0]
    assert confidence_bound(1.5)(MEAN, DEVIATION, 0.0, generator()).tolist() == [0.25, 0.5, 0.0]


def test_expected_improvement_is_the_integral() -> None:
    values = expected_improvement(MEAN, DEVIATION, 1.5, generator())
    for value, mean, deviation in zip(values, MEAN, DEVIATION, strict=True):
        integral, _ = quad(lambda y, m=mean, s=deviation: (1.5 - y) * norm.pdf(y, m, s), -40, 1.5, limit=200)
        assert value == pytest.approx(-integral, rel=1e-6)
    # at the mean of a standard normal: f(0)
    assert expected_improvement(np.zeros(1), np.ones(1), 0.0, generator())[0] == pytest.approx(
        -1 / math.sqrt(2 * math.pi)
    )


def test_expected_improvement_where_there_is_no_doubt_or_no_hope() -> None:
    mean = np.array([0.5, 1.5, 1.2, 1e6, 2e6, 1.0])
    deviation = np.array([0.0, 0.0, 0.0, 1.0, 1e-300, 0.0])
    values = expected_improvement(mean, deviation, 1.0, generator())
    assert np.isfinite(values).all()
    assert values[0] == -0.5
    # then by the mean
    assert np.argsort(values, kind="stable").tolist() == [0, 5, 2, 1, 3, 4]


def test_thompson_sampling_draws_every_candidate_by_itself() -> None:
    mean, deviation = np.repeat(MEAN, 4000), np.repeat(DEVIATION, 4000)
    draws = thompson_sampling(mean, deviation, 0.0, generator()).reshape(3, -1)
    np.testing.assert_allclose(draws.mean(axis=1), MEAN, atol=0.1)
    np.testing.assert_allclose(draws.std(axis=1), DEVIATION, rtol=0.05)
    assert thompson_sampling(MEAN, np.zeros(3), 0.0, generator()).tolist() == MEAN.tolist()
