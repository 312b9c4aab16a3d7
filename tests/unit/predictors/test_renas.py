"""ReNAS: the ranking loss by hand, the published network, one member trained by other means, and costs in any unit."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from nas_core.predictors.renas import ReNAS, build, convolutional_network, ranking_loss
from nas_core.randomness import Streams

Array = NDArray[np.float64]


def examples(num_examples: int = 24) -> tuple[Array, Array]:
    """Tensors of which one entry is constant, and the cost a sum over the first channel."""
    generator = np.random.default_rng(0)
    features = generator.integers(0, 3, (num_examples, 2, 3, 3)).astype(float)
    features[:, 1, 2, 2] = 7.0
    return features, features[:, 0].sum(axis=(1, 2)) + 5.0


def model(seed: int = 0, num_members: int = 2, num_epochs: int = 6) -> ReNAS:
    return ReNAS(Streams(seed), num_members, num_epochs, 10, 0.001)


def test_the_ranking_loss_by_hand() -> None:
    scores = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64)
    costs = torch.tensor([0.1, 0.9, 0.5], dtype=torch.float64)
    # margins of the pairs (0, 1), (0, 2), (1, 2): in order by 1 and by 3, out of order by 2
    expected = sum(math.log(1 + math.exp(-margin)) for margin in (1.0, 3.0, -2.0)) / 3
    assert ranking_loss(scores, costs).item() == pytest.approx(expected)


def test_pairs_of_equal_cost_pull_at_nothing() -> None:
    scores = torch.tensor([0.0, 5.0], requires_grad=True)
    loss = ranking_loss(scores, torch.ones(2))
    assert loss.item() == pytest.approx(math.log(2))
    loss.backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [0.0, 0.0]


def test_the_network_has_the_published_layers() -> None:
    network = convolutional_network((19, 7, 7), torch.Generator().manual_seed(0))
    sizes = (19 * 38 * 9, 2 * 38, 38 * 128 * 9, 2 * 128, 128 * 49 * 120 + 120, 120 * 84 + 84, 84 + 1)
    assert sum(parameter.numel() for parameter in network.parameters()) == sum(sizes)
    assert network(torch.ones(4, 19, 7, 7)).shape == (4, 1)


def test_a_member_is_trained_on_standardized_tensors_in_equal_batches() -> None:
    features, costs = examples()
    ensemble = model()
    ensemble.fit(features, costs)
    scale = features.std(axis=0)
    inputs = torch.from_numpy((features - features.mean(axis=0)) / np.where(scale > 0, scale, 1)).float()
    generator = Streams(0).torch("member 1")
    network = convolutional_network((2, 3, 3), generator)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    for _ in range(6):
        for batch in torch.randperm(24, generator=generator).split(8):
            optimizer.zero_grad()
            ranking_loss(network(inputs[batch]).squeeze(1), torch.from_numpy(costs)[batch]).backward()
            optimizer.step()
    scores = network.eval()(inputs).squeeze(1).detach().double().numpy()
    expected = costs.mean() + costs.std() * (scores - scores.mean()) / scores.std()
    np.testing.assert_allclose(ensemble.predict_members(features)[1], expected, rtol=1e-4)


def test_mean_and_deviation_are_over_the_members() -> None:
    features, costs = examples()
    ensemble = model()
    ensemble.fit(features, costs)
    first, second = ensemble.predict_members(features)
    mean, deviation = ensemble.predict(features)
    np.testing.assert_allclose(mean, (first + second) / 2)
    np.testing.assert_allclose(deviation, np.abs(first - second) / 2**0.5)
    alone = model(num_members=1)
    alone.fit(features, costs)
    np.testing.assert_allclose(alone.predict(features)[0], first, rtol=1e-6)
    assert alone.predict(features)[1].tolist() == [0.0] * 24


def test_one_seed_gives_one_ensemble_however_often_it_is_fitted() -> None:
    features, costs = examples()
    first, second, other = (model(seed, num_members=1) for seed in (0, 0, 1))
    second.fit(features[:10], -costs[:10])
    for each in (first, second, other):
        each.fit(features, costs)
    np.testing.assert_array_equal(first.predict(features), second.predict(features))
    assert not np.array_equal(first.predict(features), other.predict(features))


@pytest.mark.parametrize("unit", [1e-6, 1e6])
def test_it_learns_an_order_in_any_unit(unit: float) -> None:
    features, costs = examples(80)
    learnt = build(Streams(0), num_members=2, num_epochs=40)
    learnt.fit(features[:60], unit * costs[:60])
    mean, deviation = learnt.predict(features[60:])
    assert np.corrcoef(mean, costs[60:])[0, 1] > 0.8
    assert np.abs(mean / unit - costs[60:]).mean() < costs.std()
    assert (deviation > 0).all()


def test_one_example_and_equal_costs_are_enough() -> None:
    for num_examples in (1, 2, 11):
        ensemble = model(num_epochs=2)
        ensemble.fit(np.ones((num_examples, 2, 3, 3)), np.full(num_examples, 0.1))
        mean, deviation = ensemble.predict(np.zeros((2, 2, 3, 3)))
        np.testing.assert_allclose(mean, 0.1)
        np.testing.assert_allclose(deviation, 0.0, atol=1e-12)


def test_threads_and_global_random_state_are_left_as_they_were() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with torch.no_grad():
        model(num_epochs=1).fit(*examples())
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_vectors_are_refused_with_a_remedy_and_nothing_is_predicted_before_a_fit() -> None:
    with pytest.raises(ValueError, match=r"shape \(3, 7\); give feature tensors"):
        model().fit(np.ones((3, 7)), np.ones(3))
    with pytest.raises(ValueError, match="call fit"):
        model().predict(np.zeros((1, 2, 3, 3)))
