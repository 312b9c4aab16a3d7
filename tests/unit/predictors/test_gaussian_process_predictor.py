"""The Gaussian process as a predictor: the closed formula in units of cost, features of any kind, and small data."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nas_core.gaussian_processes.regression import fitted, repeatable
from nas_core.predictors.gaussian_process import build
from nas_core.randomness import Streams

Array = NDArray[np.float64]


def examples(num_examples: int = 60) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    features = (generator.random((num_examples, 7)) < 0.4).astype(float)
    return features, features @ generator.standard_normal(7) + 5.0


def test_it_is_the_posterior_of_standardized_costs_put_back() -> None:
    features, costs = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, 2.0, 6.0])
    model = build(Streams(0), max_fit_steps=5)
    model.fit(features, costs)
    mean, deviation = model.predict(np.array([[1.0, 0.0]]))
    # by hand: mean 3, standard deviation (14 / 3)^.5
    scale = (14 / 3) ** 0.5
    with repeatable(0):
        inner = fitted(torch.from_numpy(features), torch.from_numpy((costs - 3) / scale), 5)
        posterior = inner.posterior(torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    assert mean[0] == pytest.approx(3 + scale * posterior.mean.item())
    assert deviation[0] == pytest.approx(scale * posterior.variance.item() ** 0.5)


def test_it_is_surer_of_what_it_has_seen() -> None:
    features, costs = examples(20)
    model = build(Streams(0))
    model.fit(features, costs)
    _, seen = model.predict(features)
    _, unseen = model.predict(1 - features)
    assert seen.mean() < 0.5 * unseen.mean()


def test_it_learns_a_cost_in_any_unit() -> None:
    features, costs = examples(120)
    predictions = []
    for unit in (1e-9, 1.0, 1e9):
        model = build(Streams(0))
        model.fit(features[:100], unit * costs[:100])
        mean, deviation = model.predict(features[100:])
        assert np.corrcoef(mean, costs[100:])[0, 1] > 0.95
        assert (deviation > 0).all()
        predictions.append(mean / unit)
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-3)
    np.testing.assert_allclose(predictions[2], predictions[1], rtol=1e-3)


def test_features_of_any_scale_are_used_beside_bits() -> None:
    generator = np.random.default_rng(0)
    scores = generator.random((60, 1))
    bits = (generator.random((60, 2)) < 0.5).astype(float)
    costs = np.sin(4 * scores[:, 0]) + bits[:, 0]
    predictions = []
    for scale, shift in ((1.0, 0.0), (1e7, -3e6)):
        features = np.hstack([scale * scores + shift, bits, np.full((60, 1), 8.0)])
        model = build(Streams(0))
        model.fit(features[:40], costs[:40])
        predictions.append(model.predict(features[40:])[0])
        assert np.abs(predictions[-1] - costs[40:]).mean() < 0.15
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-3)


def test_one_example_and_equal_costs_are_enough() -> None:
    model = build(Streams(0))
    for num_examples in (1, 2, 5):
        model.fit(np.ones((num_examples, 4)), np.full(num_examples, 0.1))
        mean, deviation = model.predict(np.zeros((2, 4)))
        np.testing.assert_allclose(mean, 0.1)
        np.testing.assert_array_equal(deviation, 0.0)


def test_one_network_with_several_costs_is_their_noisy_mean() -> None:
    generator = np.random.default_rng(0)
    features = np.repeat(np.eye(2), 30, axis=0)
    costs = np.repeat([1.0, 2.0], 30) + 0.2 * generator.standard_normal(60)
    model = build(Streams(0))
    model.fit(features, costs)
    mean, deviation = model.predict(np.eye(2))
    np.testing.assert_allclose(mean, [costs[:30].mean(), costs[30:].mean()], atol=0.05)
    # of the cost itself, not of one more evaluation, whose deviation would be .2
    assert (deviation < 0.1).all()


def test_the_same_data_and_seed_give_the_same_predictions_and_touch_no_global_random_state() -> None:
    features, costs = examples()
    before = random.getstate(), repr(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    first, second = build(Streams(0)), build(Streams(0))
    second.fit(features[:10], -costs[:10])
    for model in (first, second):
        model.fit(features, costs)
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
    after = random.getstate(), repr(np.random.get_state()), torch.get_rng_state()  # noqa: NPY002
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])


def test_it_predicts_nothing_before_a_fit() -> None:
    with pytest.raises(ValueError, match="call fit"):
        build(Streams(0)).predict(np.zeros((1, 7)))
