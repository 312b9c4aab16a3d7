"""Forest and boosted trees: hand-worked trees, members' statistics, seeds, units and the smallest data."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from nas_core.predictor import Predictor
from nas_core.predictors import gradient_boosted_trees, random_forest
from nas_core.predictors.gradient_boosted_trees import GradientBoostedTrees
from nas_core.predictors.random_forest import RandomForest
from nas_core.randomness import Streams

Array = NDArray[np.float64]
Build = Callable[..., Predictor]

FOREST: Build = random_forest.build
BOOSTED: Build = gradient_boosted_trees.build
KINDS = [pytest.param(FOREST, id="forest"), pytest.param(BOOSTED, id="boosted")]


def examples(num_examples: int = 60) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    features = (generator.random((num_examples, 7)) < 0.4).astype(float)
    return features, features @ generator.standard_normal(7) + 5.0


def test_a_forest_of_stumps_is_what_its_bootstrap_samples_say() -> None:
    # two examples: a tree saw both (and tells them apart), only the first, or only the second
    features, costs = np.array([[0.0], [1.0]]), np.array([1.0, 3.0])
    forest = RandomForest(Streams(0), 400, 1, 1.0)
    forest.fit(features, costs)
    trees = forest.predict_trees(features)
    assert {tuple(pair) for pair in np.round(trees, 9).tolist()} == {(1.0, 3.0), (1.0, 1.0), (3.0, 3.0)}
    # so a mean is 1 * 3/4 + 3 * 1/4, and a variance 3/4 * 1/4 * (3 - 1)^2
    mean, deviation = forest.predict(features)
    np.testing.assert_allclose(mean, [1.5, 2.5], atol=0.1)
    np.testing.assert_allclose(deviation, [0.75**0.5, 0.75**0.5], atol=0.05)


def test_one_boosting_step_by_hand() -> None:
    # the start is the mean, 4; residuals -3, -1, 1, 3; a stump splits in the middle into -2 and 2, shrunk to a half
    features, costs = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([1.0, 3.0, 5.0, 7.0])
    boosted = GradientBoostedTrees(Streams(0), 2, 1, 1, 0.5, 1.0, 1.0)
    boosted.fit(features, costs)
    mean, deviation = boosted.predict(features)
    np.testing.assert_allclose(mean, [3.0, 3.0, 5.0, 5.0])
    np.testing.assert_allclose(deviation, 0.0, atol=1e-12)


def test_mean_and_deviation_are_over_the_members() -> None:
    features, costs = examples()
    forest, boosted = RandomForest(Streams(0), 3, 1, 1.0), GradientBoostedTrees(Streams(0), 3, 9, 2, 0.1, 0.5, 1.0)
    for model, members in ((forest, forest.predict_trees), (boosted, boosted.predict_members)):
        model.fit(features, costs)
        example = features[[members(features).std(axis=0).argmax()]]
        first, second, third = members(example)[:, 0]
        mean, deviation = model.predict(example)
        center = (first + second + third) / 3
        spread = ((first - center) ** 2 + (second - center) ** 2 + (third - center) ** 2) / 2
        assert mean[0] == pytest.approx(center)
        assert deviation[0] == pytest.approx(spread**0.5)
        assert deviation[0] > 0


def test_a_boosted_member_does_not_depend_on_how_many_others_there_are() -> None:
    features, costs = examples()
    few, many = (GradientBoostedTrees(Streams(0), number, 9, 2, 0.1, 0.5, 1.0) for number in (2, 4))
    few.fit(features, costs)
    many.fit(features, costs)
    np.testing.assert_array_equal(few.predict_members(features), many.predict_members(features)[:2])


@pytest.mark.parametrize("build", KINDS)
def test_one_seed_gives_one_model_however_often_it_is_fitted(build: Build) -> None:
    features, costs = examples()
    first, second, other = (build(Streams(seed), num_trees=8) for seed in (0, 0, 1))
    second.fit(features[:10], -costs[:10])
    for model in (first, second, other):
        model.fit(features, costs)
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
    assert not np.array_equal(first.predict(features), other.predict(features))


@pytest.mark.parametrize("build", KINDS)
def test_it_learns_a_cost_in_any_unit(build: Build) -> None:
    features, costs = examples(120)
    predictions = []
    for unit in (1e-9, 1.0, 1e9):
        model = build(Streams(0), num_trees=50)
        model.fit(features[:100], unit * costs[:100])
        mean, deviation = model.predict(features[100:])
        predictions.append(mean / unit)
        assert np.corrcoef(mean, costs[100:])[0, 1] > 0.9
        assert (deviation >= 0).all()
        assert (deviation > 0).any()
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=0.05)
    np.testing.assert_allclose(predictions[2], predictions[1], rtol=0.05)


@pytest.mark.parametrize("build", KINDS)
def test_one_example_and_equal_costs_are_enough(build: Build) -> None:
    model = build(Streams(0), num_trees=3)
    for num_examples in (1, 2, 5):
        model.fit(np.ones((num_examples, 4)), np.full(num_examples, 0.1))
        mean, deviation = model.predict(np.zeros((2, 4)))
        np.testing.assert_allclose(mean, 0.1)
        np.testing.assert_allclose(deviation, 0.0, atol=1e-12)


@pytest.mark.parametrize("build", KINDS)
def test_global_random_states_are_left_as_they_were(build: Build) -> None:
    before = random.getstate(), repr(np.random.get_state())  # noqa: NPY002
    model = build(Streams(0), num_trees=3)
    model.fit(*examples())
    model.predict(examples()[0])
    assert (random.getstate(), repr(np.random.get_state())) == before  # noqa: NPY002


@pytest.mark.parametrize("build", KINDS)
def test_it_predicts_nothing_before_a_fit(build: Build) -> None:
    with pytest.raises(ValueError, match="call fit"):
        build(Streams(0)).predict(np.zeros((1, 7)))
