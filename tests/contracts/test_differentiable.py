"""What holds for every strategy that learns with the shared weights; one is found by being in the folder."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from nas_core import catalog
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.weight_sharing.learns import Learns
from tests.contracts.fake_weights import QuadraticWeights

NUM_TURNS = 400
BEST = (2, 0, 3, 4, 1, 2)


def the_space() -> SearchSpace:
    space: SearchSpace = catalog.load("space", "nasbench201").build(channels=4, cells_per_stage=1)
    return space


def built(name: str, seed: int = 0) -> Any:
    supplied = {"num_steps": NUM_TURNS} if "num_steps" in catalog.supplied("strategy", name) else {}
    objectives = [Objective("validation_accuracy", "maximize")]
    return catalog.load("strategy", name).build(the_space(), objectives, Streams(seed), **supplied)


def is_learner(name: str) -> bool:
    needs_more = "screen" in catalog.supplied("strategy", name) or any(
        setting.required for setting in catalog.settings("strategy", name)
    )
    return not needs_more and isinstance(built(name), Learns)


LEARNERS = [name for name in catalog.names("strategy") if is_learner(name)]


def weights_for(num_turns: int = NUM_TURNS) -> QuadraticWeights:
    return QuadraticWeights(the_space().choices, BEST, num_turns)


def round_of(strategy: Any, weights: QuadraticWeights, num_turns: int) -> list[str]:
    """Learn for some turns, ask, and tell scores that grow with the number of best options."""
    for _ in range(num_turns):
        strategy.learn(weights)
        weights.assert_untouched()
    proposals = strategy.ask(2)
    strategy.tell(
        [
            Evaluation(p, {"validation_accuracy": float(np.mean(np.equal(p.architecture.decisions, BEST)))})
            for p in proposals
        ]
    )
    return [proposal.architecture.key for proposal in proposals]


def test_darts_is_among_them() -> None:
    assert "darts" in LEARNERS


@pytest.mark.parametrize("name", LEARNERS)
def test_the_best_option_of_each_choice_wins(name: str) -> None:
    strategy, weights = built(name), weights_for()
    for _ in range(8):
        round_of(strategy, weights, NUM_TURNS // 8)
    assert strategy.recommend().decisions == BEST


@pytest.mark.parametrize("name", LEARNERS)
@pytest.mark.parametrize("turns_before", [0, 1, 7, 33])
def test_a_strategy_that_goes_on_from_a_state_does_the_same(name: str, turns_before: int) -> None:
    whole, first, weights = built(name), built(name), weights_for(60)
    halves = weights_for(60)
    for strategy, fake in ((whole, weights), (first, halves)):
        if turns_before:
            round_of(strategy, fake, turns_before)
    buffer = io.BytesIO()
    torch.save({"strategy": first.state_dict(), "weights": halves.state_dict()}, buffer)
    before = [round_of(first, halves, 20)]
    second, again = built(name), weights_for(60)
    state = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
    second.load_state_dict(state["strategy"])
    again.load_state_dict(state["weights"])
    assert [round_of(second, again, 20)] == before == [round_of(whole, weights, 20)]
    assert_equal(second.state_dict(), whole.state_dict())
    assert_equal(again.state_dict(), weights.state_dict())


@pytest.mark.parametrize("name", LEARNERS)
def test_a_state_is_a_copy(name: str) -> None:
    strategy, weights = built(name), weights_for()
    round_of(strategy, weights, 3)
    taken = strategy.state_dict()
    buffer = io.BytesIO()
    torch.save(taken, buffer)
    other = built(name)
    other.load_state_dict(taken)
    round_of(strategy, weights, 3)
    round_of(other, weights_for(), 3)
    assert_equal(taken, torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))


@pytest.mark.parametrize("name", LEARNERS)
def test_global_generators_are_left_alone(name: str) -> None:
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    round_of(built(name), weights_for(), 5)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize("name", LEARNERS)
def test_a_diverged_loss_is_survived(name: str) -> None:
    strategy, weights = built(name), weights_for()
    round_of(strategy, weights, 3)
    weights.factor = float("nan")
    round_of(strategy, weights, 3)
    weights.factor = 1.0
    round_of(strategy, weights, 3)
    assert the_space().is_valid(strategy.recommend())


@pytest.mark.parametrize("name", LEARNERS)
def test_no_proposal_is_asked_for(name: str) -> None:
    strategy = built(name)
    assert strategy.ask(0) == []
    round_of(strategy, weights_for(), 2)
    assert strategy.ask(0) == []


def assert_equal(one: Any, other: Any) -> None:
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_equal(left, right)
    else:
        assert one == other
