"""The contract of predictors, which every one that can be named keeps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nas_core import catalog
from nas_core.predictor import Predictor
from nas_core.randomness import Streams

Array = NDArray[np.float64]
NAMES = (*catalog.names("predictor"), "gnn_space.predictors.graph_network")
SMALL = {"num_epochs": 3, "num_layers": 2, "num_trees": 6, "num_members": 2, "width": 8, "max_fit_steps": 5}
SAME_FOR_ALL_SEEDS = {"gaussian_process"}
"""Those that draw nothing; of the others, different seeds predict differently."""

NUM_VERTICES = 4


def model(name: str, seed: int = 0) -> Predictor:
    known = {setting.name for setting in catalog.settings("predictor", name)}
    values = {key: value for key, value in SMALL.items() if key in known}
    built: Predictor = catalog.load("predictor", name).build(Streams(seed), **values)
    return built


def features(name: str, bits: Array) -> Array:
    """What a predictor takes, made of 12 bits an example."""
    match getattr(catalog.load("predictor", name), "ENCODING", None):
        case None:
            return bits
        case "tensor":
            return bits.reshape(len(bits), 3, 2, 2)
        case "graph":
            edges = np.zeros((len(bits), NUM_VERTICES, NUM_VERTICES))
            edges[:, *np.triu_indices(NUM_VERTICES, 1)] = bits[:, :6]
            labels = np.eye(3)[np.concatenate([bits[:, 6:9] + 1, np.zeros((len(bits), 1))], axis=1).astype(int)]
            return np.concatenate([edges, labels], axis=2)
        case unknown:
            raise AssertionError(f"{name} takes {unknown!r}, of which there are no examples here")


def examples(name: str, num_examples: int = 20, seed: int = 0) -> tuple[Array, Array]:
    bits = np.random.default_rng(seed).integers(0, 2, (num_examples, 12)).astype(np.float64)
    return features(name, bits), bits[:, :9] @ np.arange(1.0, 10.0) / 10 + 3.0


def fitted(name: str, given: Array, costs: Array, seed: int = 0) -> Predictor:
    built = model(name, seed)
    built.fit(given, costs)
    return built


@pytest.mark.parametrize("name", NAMES)
def test_predictions_are_finite_and_a_mean_and_a_deviation_an_example(name: str) -> None:
    given, costs = examples(name)
    built = fitted(name, given[:12], costs[:12])
    for asked in (given, given[:1]):
        for values in built.predict(asked):
            assert values.shape == (len(asked),)
            assert values.dtype == np.float64
            assert np.isfinite(values).all()
    assert (built.predict(given)[1] >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_predicted_before_a_fit(name: str) -> None:
    with pytest.raises(ValueError, match="was not fitted"):
        model(name).predict(examples(name)[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_one_prediction_and_a_fit_forgets_the_one_before(name: str) -> None:
    given, costs = examples(name)
    first, again, other = (model(name, seed) for seed in (0, 0, 1))
    again.fit(given[:7], -5 * costs[:7])
    for built in (first, again, other):
        built.fit(given, costs)
    np.testing.assert_array_equal(first.predict(given), again.predict(given))
    np.testing.assert_array_equal(first.predict(given), first.predict(given))
    if name not in SAME_FOR_ALL_SEEDS:
        assert not np.array_equal(first.predict(given), other.predict(given))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num_examples", [1, 2, 9])
def test_one_example_and_equal_costs_are_enough(name: str, num_examples: int) -> None:
    given, _ = examples(name)
    mean, deviation = fitted(name, given[:num_examples], np.full(num_examples, 0.25)).predict(given)
    assert np.isfinite(mean).all()
    assert np.isfinite(deviation).all()
    assert (deviation >= 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_constant_features_leave_one_prediction(name: str) -> None:
    _, costs = examples(name)
    given = features(name, np.ones((len(costs), 12)))
    mean, deviation = fitted(name, given, costs).predict(given)
    assert np.isfinite(deviation).all()
    np.testing.assert_allclose(mean, mean[0], rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_global_random_state_threads_and_examples_are_left_as_they_were(name: str) -> None:
    given, costs = examples(name)
    kept: tuple[Any, ...] = (given.copy(), costs.copy())
    threads, of_torch = torch.get_num_threads(), torch.get_rng_state()
    of_numpy = repr(np.random.get_state())  # noqa: NPY002
    fitted(name, given, costs).predict(given)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), of_torch)
    assert repr(np.random.get_state()) == of_numpy  # noqa: NPY002
    np.testing.assert_array_equal(given, kept[0])
    np.testing.assert_array_equal(costs, kept[1])
