"""REINFORCE: its gradient against autograd, its step against torch's Adam, its baseline by hand, its convergence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture, Choice
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.reinforce import Reinforce, build, log_probability_gradient

OBJECTIVES = (Objective("accuracy", "maximize"),)


def policy(space: GridSpace, **settings: Any) -> Reinforce:
    strategy = build(space, OBJECTIVES, Streams(0), **settings)
    assert isinstance(strategy, Reinforce)
    return strategy


def ask_for(strategy: Reinforce, decisions: Sequence[int]) -> None:
    """Ask until the policy has proposed a certain member."""
    while strategy.ask(1)[0].architecture.decisions != tuple(decisions):
        pass


def test_the_gradient_is_that_of_autograd() -> None:
    logits = torch.tensor([[0.3, -1.0, 0.5], [2.0, 0.1, -0.7]], dtype=torch.float64, requires_grad=True)
    torch.autograd.backward(logits.log_softmax(1)[0, 2] + logits.log_softmax(1)[1, 0])
    gradient = log_probability_gradient(logits.detach().softmax(1).numpy(), (2, 0), (True, True))
    np.testing.assert_allclose(gradient, logits.grad, atol=1e-15)


def test_choices_that_do_not_matter_have_no_gradient() -> None:
    gradient = log_probability_gradient(np.full((2, 2), 0.5), (1, 0), (True, False))
    assert gradient.tolist() == [[-0.5, 0.5], [0.0, 0.0]]


def test_steps_are_those_of_torch() -> None:
    space = GridSpace((2, 3))
    strategy = policy(space, learning_rate=0.1)
    rows = [torch.tensor(row, dtype=torch.float64).log() for row in strategy.probabilities]
    logits = [row.requires_grad_() for row in rows]
    optimizer = torch.optim.Adam(logits, lr=0.1, maximize=True)
    average = 0.0
    for number, (decisions, accuracy) in enumerate([((1, 2), 0.3), ((0, 1), 0.9), ((1, 0), 0.1), ((0, 1), 0.7)], 1):
        ask_for(strategy, decisions)
        strategy.tell([told(decisions, accuracy)])
        average = 0.9 * average + 0.1 * 100 * accuracy
        advantage = 100 * accuracy - average / (1 - 0.9**number)
        optimizer.zero_grad()
        log_probability = sum(row.log_softmax(0)[decision] for row, decision in zip(logits, decisions, strict=True))
        torch.autograd.backward(advantage * log_probability)
        optimizer.step()
        for row, expected in zip(strategy.probabilities, logits, strict=True):
            np.testing.assert_allclose(row, expected.detach().softmax(0), atol=1e-12)


def test_the_first_reward_is_its_own_baseline() -> None:
    strategy = policy(GridSpace((2, 3)))
    before = strategy.probabilities
    ask_for(strategy, (1, 2))
    strategy.tell([told((1, 2), 0.7)])
    np.testing.assert_allclose(np.concatenate(strategy.probabilities), np.concatenate(before), atol=1e-12)


def test_initial_logits_are_near_zero_and_differ_by_seed() -> None:
    strategy = policy(GridSpace((2, 5)))
    assert [len(row) for row in strategy.probabilities] == [2, 5]
    assert strategy.probabilities[1] == pytest.approx([0.2] * 5, abs=2e-3)
    assert build(GridSpace((2, 5)), OBJECTIVES, Streams(1)).state_dict()["logits"] != strategy.state_dict()["logits"]


def test_draws_follow_the_policy() -> None:
    strategy = policy(GridSpace((2, 3)), learning_rate=1.0)
    for decisions, accuracy in (((0, 0), 0.2), ((1, 2), 0.8)):
        ask_for(strategy, decisions)
        strategy.tell([told(decisions, accuracy)])
    draws = np.array([proposal.architecture.decisions for proposal in strategy.ask(4000)])
    for place, row in enumerate(strategy.probabilities):
        shares = np.bincount(draws[:, place], minlength=len(row)) / 4000
        assert shares == pytest.approx(row, abs=0.03)


def test_others_proposals_and_failures_move_nothing_but_may_be_recommended() -> None:
    strategy = policy(GridSpace((2, 3)))
    before = strategy.probabilities
    (proposal,) = strategy.ask(1)
    strategy.tell([Evaluation(proposal, failure="diverged")])
    strategy.tell([told(proposal.architecture.decisions, 0.3), told((1, 1), 0.9)])
    assert strategy.probabilities == before
    assert strategy.recommend() == member(1, 1)


def test_what_was_asked_twice_counts_twice() -> None:
    strategy = policy(GridSpace((1, 1)))
    strategy.ask(2)
    strategy.tell([told((0, 0), 0.5)] * 3)
    assert strategy.state_dict()["num_steps"] == 2


def test_it_converges_where_each_choice_can_be_told_apart() -> None:
    space = GridSpace((3, 4, 2))
    target = (2, 1, 0)
    strategy = policy(space, learning_rate=0.1)
    for _ in range(400):
        (proposal,) = strategy.ask(1)
        made = proposal.architecture.decisions
        strategy.tell([told(made, sum(a == b for a, b in zip(made, target, strict=True)) / 3)])
    assert all(row[decision] > 0.9 for row, decision in zip(strategy.probabilities, target, strict=True))


def test_invalid_draws_are_drawn_again_and_at_last_repaired() -> None:
    half = GridSpace((2, 2), frozenset({(0, 0), (1, 1)}))
    assert {p.architecture.decisions for p in policy(half).ask(50)} == {(0, 1), (1, 0)}
    all_but_one = GridSpace((2,) * 10, frozenset(set(np.ndindex((2,) * 10)) - {(0,) * 10}))
    assert {p.architecture for p in policy(all_but_one).ask(5)} == {member(*(0,) * 10)}


def test_a_choice_that_was_not_active_keeps_its_distribution() -> None:
    class Conditional(GridSpace):
        @property
        def choices(self) -> tuple[Choice, ...]:
            return (Choice("depth", ("one", "two")), Choice("second", ("a", "b"), active_if=("depth", "two")))

    strategy = policy(Conditional((2, 2)), learning_rate=0.5)
    before = strategy.probabilities[1]
    for accuracy in (0.2, 0.8, 0.4):
        ask_for(strategy, (0, 0))
        strategy.tell([told((0, 0), accuracy)])
    assert strategy.probabilities[1] == before
    shallow = [p for p in strategy.ask(200) if p.architecture.decisions[0] == 0]
    assert all(p.architecture == Architecture("grid", (0, 0)) for p in shallow)
