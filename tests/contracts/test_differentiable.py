"""What holds for every strategy that learns with the shared weights; one is found by being in the folder."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import pytest
import torch
from equal_states import assert_equal
from fake_weights import QuadraticWeights

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.weight_sharing.learns import Learns

NUM_TURNS = 400
ACCURACY = Objective("validation_accuracy", "maximize")


def built(name: str, space: SearchSpace) -> Any:
    supplied = {"num_steps": NUM_TURNS} if "num_steps" in catalog.supplied("strategy", name) else {}
    return catalog.load("strategy", name).build(space, [ACCURACY], Streams(0), **supplied)


def nasbench201() -> SearchSpace:
    space: SearchSpace = catalog.load("space", "nasbench201").build()
    return space


def is_learner(name: str) -> bool:
    needs_more = "screen" in catalog.supplied("strategy", name) or any(
        setting.required for setting in catalog.settings("strategy", name)
    )
    return not needs_more and isinstance(built(name, nasbench201()), Learns)


LEARNERS = [name for name in catalog.names("strategy") if is_learner(name)]


def best_of(space: SearchSpace) -> tuple[int, ...]:
    """Return a decision for each choice, all options in turn."""
    return tuple((2 * place + 1) % len(choice.options) for place, choice in enumerate(space.choices))


def weights_for(space: SearchSpace, num_turns: int = NUM_TURNS) -> QuadraticWeights:
    return QuadraticWeights(space.choices, best_of(space), num_turns)


def play(strategy: Any, weights: QuadraticWeights, best: tuple[int, ...], num_turns: int) -> list[str]:
    """Learn for some turns, ask, and tell scores that grow with the number of best options."""
    for _ in range(num_turns):
        strategy.learn(weights)
        weights.assert_untouched()
    proposals = strategy.ask(2)
    scores = [float(np.mean(np.equal(proposal.architecture.decisions, best))) for proposal in proposals]
    strategy.tell(
        [Evaluation(proposal, {ACCURACY.name: score}) for proposal, score in zip(proposals, scores, strict=True)]
    )
    return [proposal.architecture.key for proposal in proposals]


@pytest.fixture(params=LEARNERS)
def name(request: pytest.FixtureRequest) -> str:
    """Every strategy that learns, one after the other."""
    learner: str = request.param
    return learner


def test_darts_is_among_them() -> None:
    assert "darts" in LEARNERS


def test_the_best_option_of_each_choice_wins(name: str) -> None:
    space = nasbench201()
    strategy, weights = built(name, space), weights_for(space)
    for _ in range(8):
        play(strategy, weights, best_of(space), NUM_TURNS // 8)
    assert strategy.recommend().decisions == best_of(space)


@pytest.mark.parametrize("turns_before", [0, 1, 7, 33])
def test_a_strategy_that_goes_on_from_a_state_does_the_same(name: str, space: SearchSpace, turns_before: int) -> None:
    best = best_of(space)
    strategy, weights = built(name, space), weights_for(space, 60)
    if turns_before:
        play(strategy, weights, best, turns_before)
    buffer = io.BytesIO()
    torch.save({"strategy": strategy.state_dict(), "weights": weights.state_dict()}, buffer)
    expected = [play(strategy, weights, best, 10) for _ in range(2)]
    other, again = built(name, space), weights_for(space, 60)
    state = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
    other.load_state_dict(state["strategy"])
    again.load_state_dict(state["weights"])
    assert [play(other, again, best, 10) for _ in range(2)] == expected
    assert_equal(other.state_dict(), strategy.state_dict())
    assert_equal(again.state_dict(), weights.state_dict())
    assert other.recommend() == strategy.recommend()


def test_a_state_is_a_copy(name: str, space: SearchSpace) -> None:
    best = best_of(space)
    strategy, weights = built(name, space), weights_for(space)
    play(strategy, weights, best, 3)
    taken = strategy.state_dict()
    buffer = io.BytesIO()
    torch.save(taken, buffer)
    other = built(name, space)
    other.load_state_dict(taken)
    play(strategy, weights, best, 3)
    play(other, weights_for(space), best, 3)
    assert_equal(taken, torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))


def test_proposals_and_recommendation_are_members(name: str, space: SearchSpace) -> None:
    strategy, weights = built(name, space), weights_for(space)
    for _ in range(3):
        for key in play(strategy, weights, best_of(space), 2):
            assert space.is_valid(Architecture.from_key(key))
        assert space.is_valid(strategy.recommend())


def test_global_generators_are_left_alone(name: str, space: SearchSpace) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    play(built(name, space), weights_for(space), best_of(space), 5)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


def test_a_diverged_loss_is_survived(name: str, space: SearchSpace) -> None:
    best = best_of(space)
    strategy, weights = built(name, space), weights_for(space)
    for factor in (1.0, math.nan, 1.0):
        weights.factor = factor
        play(strategy, weights, best, 3)
    assert space.is_valid(strategy.recommend())


def test_no_proposal_is_asked_for(name: str, space: SearchSpace) -> None:
    strategy = built(name, space)
    assert strategy.ask(0) == []
    play(strategy, weights_for(space), best_of(space), 2)
    assert strategy.ask(0) == []
