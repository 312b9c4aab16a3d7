"""REINFORCE: its baseline by hand, its batches, whose results move it, and its convergence with either controller."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture, Choice
from nas_core.controllers.factorized import FactorizedPolicy
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.reinforce import Reinforce, build

OBJECTIVES = (Objective("accuracy", "maximize"),)
Rows = tuple[tuple[float, ...], ...]


def search(space: GridSpace, **settings: Any) -> Reinforce:
    strategy = build(space, OBJECTIVES, Streams(0), **settings)
    assert isinstance(strategy, Reinforce)
    return strategy


def fast(space: GridSpace, learning_rate: float, **settings: Any) -> Reinforce:
    return search(space, controller_settings={"learning_rate": learning_rate}, **settings)


def probabilities(strategy: Reinforce) -> Rows:
    controller = strategy.controller
    assert isinstance(controller, FactorizedPolicy)
    return controller.probabilities


def ask_for(strategy: Reinforce, decisions: Sequence[int]) -> None:
    """Ask until the policy has proposed a certain member."""
    while strategy.ask(1)[0].architecture.decisions != tuple(decisions):
        pass


@pytest.mark.parametrize(("scale", "power"), [(100.0, 1.0), (1.0, 3.0)])
def test_rewards_and_their_baseline(scale: float, power: float) -> None:
    strategy = fast(GridSpace((2, 3)), 0.1, reward_scale=scale, reward_power=power)
    twin = fast(GridSpace((2, 3)), 0.1).controller
    average = 0.0
    for number, (decisions, accuracy) in enumerate([((1, 2), 0.3), ((0, 1), 0.9), ((1, 0), 0.1), ((0, 1), 0.7)], 1):
        ask_for(strategy, decisions)
        strategy.tell([told(decisions, accuracy)])
        reward = scale * accuracy**power
        average = 0.9 * average + 0.1 * reward
        twin.ascend([member(*decisions)], [reward - average / (1 - 0.9**number)], 0.0)
        assert isinstance(twin, FactorizedPolicy)
        np.testing.assert_allclose(np.concatenate(probabilities(strategy)), np.concatenate(twin.probabilities))


def test_the_first_reward_is_its_own_baseline() -> None:
    strategy = search(GridSpace((2, 3)))
    before = probabilities(strategy)
    ask_for(strategy, (1, 2))
    strategy.tell([told((1, 2), 0.7)])
    np.testing.assert_allclose(np.concatenate(probabilities(strategy)), np.concatenate(before), atol=1e-12)


def test_a_batch_moves_the_policy_when_it_is_complete() -> None:
    strategy = fast(GridSpace((1, 3)), 0.1, batch_size=3)
    before = probabilities(strategy)
    for number, accuracy in enumerate((0.2, 0.9, 0.4)):
        assert probabilities(strategy) == before
        ask_for(strategy, (0, number))
        strategy.tell([told((0, number), accuracy)])
    after = probabilities(strategy)[1]
    assert after[1] > before[1][1]
    assert after != before[1]


def test_others_proposals_and_failures_move_nothing_but_may_be_recommended() -> None:
    strategy = search(GridSpace((2, 3)))
    before = probabilities(strategy)
    (proposal,) = strategy.ask(1)
    strategy.tell([Evaluation(proposal, failure="diverged")])
    strategy.tell([told(proposal.architecture.decisions, 0.3), told((1, 1), 0.9)])
    assert probabilities(strategy) == before
    assert strategy.recommend() == member(1, 1)


def test_what_was_asked_twice_counts_twice() -> None:
    strategy = search(GridSpace((1, 1)))
    strategy.ask(2)
    strategy.tell([told((0, 0), 0.5)] * 3)
    assert strategy.state_dict()["num_rewards"] == 2


@pytest.mark.parametrize(
    ("rate", "settings"),
    [
        (0.1, {}),
        (0.1, {"update": "ppo", "batch_size": 10}),
        (0.02, {"controller": "lstm"}),
        (0.02, {"controller": "lstm", "update": "ppo", "batch_size": 10, "entropy_weight": 1e-5}),
    ],
)
def test_it_converges_where_each_choice_can_be_told_apart(rate: float, settings: dict[str, Any]) -> None:
    space = GridSpace((3, 4, 2))
    target = (2, 1, 0)
    strategy = fast(space, rate, **settings)
    for _ in range(400):
        (proposal,) = strategy.ask(1)
        made = proposal.architecture.decisions
        strategy.tell([told(made, sum(a == b for a, b in zip(made, target, strict=True)) / 3)])
    assert np.exp(strategy.controller.log_probabilities([member(*target)]))[0] > 0.7


def test_invalid_draws_are_drawn_again_and_at_last_repaired() -> None:
    half = GridSpace((2, 2), frozenset({(0, 0), (1, 1)}))
    all_but_one = GridSpace((2,) * 10, frozenset(set(np.ndindex((2,) * 10)) - {(0,) * 10}))
    for controller in ("factorized", "lstm"):
        assert {p.architecture.decisions for p in search(half, controller=controller).ask(50)} == {(0, 1), (1, 0)}
        assert {p.architecture for p in search(all_but_one, controller=controller).ask(2)} == {member(*(0,) * 10)}


def test_a_choice_that_was_not_active_keeps_its_distribution() -> None:
    class Conditional(GridSpace):
        @property
        def choices(self) -> tuple[Choice, ...]:
            return (Choice("depth", ("one", "two")), Choice("second", ("a", "b"), active_if=("depth", "two")))

    strategy = fast(Conditional((2, 2)), 0.5)
    before = probabilities(strategy)[1]
    for accuracy in (0.2, 0.8, 0.4):
        ask_for(strategy, (0, 0))
        strategy.tell([told((0, 0), accuracy)])
    assert probabilities(strategy)[1] == before
    shallow = [p for p in strategy.ask(200) if p.architecture.decisions[0] == 0]
    assert all(p.architecture == Architecture("grid", (0, 0)) for p in shallow)


def test_wrong_settings_of_a_controller_are_named() -> None:
    with pytest.raises(ValueError, match="has no setting 'num_unit'; did you mean 'num_units'"):
        search(GridSpace((2, 2)), controller="lstm", controller_settings={"num_unit": 3})
    with pytest.raises(ValueError, match=r"'lstn'.*did you mean 'lstm'"):
        search(GridSpace((2, 2)), controller="lstn")
