"""The batched ensemble: equal to its members trained one at a time, seeded, and able to learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from nas_core.predictors.mlp_ensemble import BETAS, MLPEnsemble, build, initial_layers
from nas_core.randomness import Streams

Array = NDArray[np.float64]


def examples(num_examples: int = 21) -> tuple[Array, Array]:
    generator = np.random.default_rng(0)
    features = (generator.random((num_examples, 7)) < 0.4).astype(float)
    return features, features @ generator.standard_normal(7) + 5.0


def ensemble(seed: int = 0, num_members: int = 3, num_epochs: int = 10) -> MLPEnsemble:
    return MLPEnsemble(Streams(seed), num_members, 3, 6, num_epochs, 8, 0.01)


def alone(number: int, features: Array, costs: Array) -> nn.Sequential:
    """Train one member as an ordinary network, with the weights and the order that its generator gives."""
    generator = Streams(0).torch(f"member {number}")
    layers = initial_layers([features.shape[1], 6, 6, 6, 1], [generator])
    modules: list[nn.Module] = []
    for weight in layers[::2]:
        linear = nn.Linear(weight.shape[1], weight.shape[2], dtype=torch.float64)
        linear.weight.data = weight[0].detach().T.clone()
        linear.bias.data.zero_()
        modules += [linear, nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    inputs = torch.from_numpy(features)
    targets = torch.from_numpy((costs - costs.mean()) / costs.std())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01, betas=BETAS)
    for _ in range(10):
        for batch in torch.randperm(len(targets), generator=generator).split(8):
            optimizer.zero_grad()
            nn.functional.l1_loss(network(inputs[batch]).squeeze(1), targets[batch]).backward()
            optimizer.step()
    return network


def test_the_batched_ensemble_is_its_members_trained_one_at_a_time() -> None:
    features, costs = examples()
    together = ensemble()
    together.fit(features, costs)
    members = together.predict_members(features)
    for number in range(3):
        network = alone(number, features, costs)
        with torch.no_grad():
            outputs = network(torch.from_numpy(features)).squeeze(1).numpy()
        np.testing.assert_allclose(members[number], costs.mean() + costs.std() * outputs, rtol=1e-9)


def test_a_member_does_not_depend_on_how_many_others_there_are() -> None:
    features, costs = examples()
    few, many = ensemble(num_members=2), ensemble(num_members=5)
    few.fit(features, costs)
    many.fit(features, costs)
    np.testing.assert_allclose(few.predict_members(features), many.predict_members(features)[:2], rtol=1e-9)


def test_mean_and_deviation_are_over_the_members() -> None:
    features, costs = examples()
    model = ensemble()
    model.fit(features, costs)
    first, second, third = model.predict_members(features[:1])[:, 0]
    mean, deviation = model.predict(features[:1])
    center = (first + second + third) / 3
    spread = ((first - center) ** 2 + (second - center) ** 2 + (third - center) ** 2) / 2
    assert mean[0] == pytest.approx(center)
    assert deviation[0] == pytest.approx(spread**0.5)
    assert deviation[0] > 0


def test_one_seed_gives_one_ensemble_however_often_it_is_fitted() -> None:
    features, costs = examples()
    first, second, other = ensemble(0), ensemble(0), ensemble(1)
    second.fit(features[:10], -costs[:10])
    for model in (first, second, other):
        model.fit(features, costs)
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
    assert not np.array_equal(first.predict(features), other.predict(features))


def test_it_learns_a_linear_cost_in_any_unit() -> None:
    features, costs = examples(60)
    for unit in (1e-4, 1e4):
        model = build(Streams(0), num_epochs=60, num_layers=3)
        model.fit(features[:50], unit * costs[:50])
        mean, deviation = model.predict(features[50:])
        assert np.corrcoef(mean, costs[50:])[0, 1] > 0.9
        assert np.abs(mean / unit - costs[50:]).mean() < costs.std()
        assert (deviation > 0).all()


def test_one_example_and_equal_costs_are_enough() -> None:
    model = ensemble(num_epochs=2)
    model.fit(np.ones((1, 4)), np.array([3.0]))
    assert np.isfinite(model.predict(np.zeros((2, 4)))).all()
    model.fit(np.ones((5, 4)), np.full(5, 0.1))
    assert np.isfinite(model.predict(np.zeros((2, 4)))).all()


def test_threads_and_global_random_state_are_left_as_they_were() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with torch.no_grad():
        ensemble(num_epochs=1).fit(*examples())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_it_predicts_nothing_before_a_fit() -> None:
    with pytest.raises(ValueError, match="call fit"):
        ensemble().predict(np.zeros((1, 7)))
