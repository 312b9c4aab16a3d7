"""The recurrent controller: one distribution whether drawn or scored, Zoph & Le's sizes, and what it can learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from grid_space import GridSpace, member

from nas_core.architecture import Choice
from nas_core.controllers.lstm import RecurrentController, build
from nas_core.networks.decision_lstm import DecisionLSTM
from nas_core.randomness import Streams
from nas_core.space import SearchSpace


class Conditional(GridSpace):
    """A second choice that matters only where the first is its second option."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        return (Choice("depth", ("one", "two")), Choice("second", ("a", "b", "c"), active_if=("depth", "two")))


def controller(space: SearchSpace, **settings: float) -> RecurrentController:
    built = build(space, Streams(0), **{"num_units": 8, "num_layers": 1, "initial_scale": 1.0, **settings})
    assert isinstance(built, RecurrentController)
    return built


def test_it_has_the_parameters_of_two_layers_of_35_units() -> None:
    network = DecisionLSTM([5] * 6, 35, 2, 0.08, torch.Generator().manual_seed(0))
    lstm = 2 * (4 * 35 * 35 + 4 * 35 * 35 + 2 * 4 * 35)
    assert sum(parameter.numel() for parameter in network.parameters()) == 31 * 35 + lstm + 6 * 5 * 35
    largest = max(float(parameter.detach().abs().max()) for parameter in network.parameters())
    assert 0.07 < largest <= 0.08


def test_probabilities_of_all_architectures_sum_to_one() -> None:
    space = GridSpace((2, 3, 2))
    members = [member(*made) for made in itertools.product(range(2), range(3), range(2))]
    assert np.exp(controller(space).log_probabilities(members)).sum() == pytest.approx(1.0, abs=1e-6)


def test_where_a_choice_does_not_matter_probabilities_sum_to_one_too() -> None:
    members = [member(0, 0), *(member(1, second) for second in range(3))]
    found = np.exp(controller(Conditional((2, 3))).log_probabilities(members))
    assert found.sum() == pytest.approx(1.0, abs=1e-6)


def test_draws_follow_the_log_probabilities() -> None:
    policy = controller(Conditional((2, 3)))
    draws = policy.draw(np.random.default_rng(0), 3000)
    members = [member(0, 0), *(member(1, second) for second in range(3))]
    shares = [draws.count(each.decisions) / len(draws) for each in members]
    assert shares == pytest.approx(np.exp(policy.log_probabilities(members)), abs=0.03)
    assert sum(shares) == 1.0


def test_a_later_decision_depends_on_an_earlier_one() -> None:
    policy = controller(GridSpace((2, 2)), learning_rate=0.05)
    equal, unequal = [member(0, 0), member(1, 1)], [member(0, 1), member(1, 0)]
    for _ in range(150):
        policy.ascend([*equal, *unequal], [0.25, 0.25, -0.25, -0.25], 0.0)
    # no factorized policy can put more than a half on the pairs of equal decisions and have both likely
    assert np.exp(policy.log_probabilities(equal)).sum() > 0.9


def test_entropy_pulls_towards_the_uniform_distribution() -> None:
    policy = controller(GridSpace((2, 2)), learning_rate=0.05)
    members = [member(first, second) for first in range(2) for second in range(2)]
    for _ in range(150):
        policy.ascend(members, [0.0] * 4, 1.0)
    assert np.exp(policy.log_probabilities(members)) == pytest.approx([0.25] * 4, abs=0.02)


def test_its_state_goes_on_like_the_original() -> None:
    space = GridSpace((2, 3))
    first, second = controller(space), controller(space, learning_rate=6e-4)
    second.load_state_dict(first.state_dict())
    first.ascend([member(1, 2)], [1.0], 0.0)
    second.load_state_dict(first.state_dict())
    for policy in (first, second):
        policy.ascend([member(0, 1)], [-2.0], 0.1)
    members = [member(1, 2), member(0, 1)]
    np.testing.assert_array_equal(first.log_probabilities(members), second.log_probabilities(members))
