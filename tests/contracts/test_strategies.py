"""What every strategy keeps to in every space; a strategy inherits this suite by lying in the folder.

A strategy that learns with shared weights has nothing to say before it has learnt, so only the parts that apply are
asked of it here; what it learns is the matter of the suite for differentiable strategies.
"""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from equal_states import assert_equal
from small_plug_ins import STRATEGY_PARTS, small_settings

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective, rank_key
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import sample
from nas_core.weight_sharing.learns import Learns

ACCURACY = Objective("validation_accuracy", "maximize")
SIZE = Objective("num_parameters", "minimize", limit=800.0)
ROUND_SIZES = (1, 3, 5, 2, 1, 1, 7, 4)

Build = Callable[..., Strategy]
Outcome = Callable[[Proposal], Evaluation]


class RandomScores:
    """Cheap scores, for strategies that ask for a screen."""

    def prepare(self, strategy: Strategy) -> None:
        pass

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [success(proposal) for proposal in proposals]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def draw(architecture: Architecture, what: str) -> float:
    """Return a number in [0, 1) that depends on the architecture alone."""
    digest = hashlib.blake2b(f"{what} {architecture.key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "little") / 2**32


def success(proposal: Proposal) -> Evaluation:
    scores = {
        "validation_accuracy": draw(proposal.architecture, "accuracy"),
        "num_parameters": float(int(1000 * draw(proposal.architecture, "size"))),
    }
    return Evaluation(proposal, scores, seconds=1.0)


def failure(proposal: Proposal) -> Evaluation:
    return Evaluation(proposal, failure="out of memory")


def mixed(proposal: Proposal) -> Evaluation:
    return failure(proposal) if draw(proposal.architecture, "failure") < 0.3 else success(proposal)


@pytest.fixture
def build(strategy_name: str, space: SearchSpace) -> Build:
    """Return what builds the strategy afresh."""
    supplies = {"num_steps": sum(ROUND_SIZES), "screen": Screen(RandomScores(), (SIZE,))}

    def call(seed: int = 0, objectives: Sequence[Objective] = (ACCURACY,)) -> Strategy:
        name = strategy_name.partition(":")[0]
        supplied = {each: supplies[each] for each in catalog.supplied("strategy", name) if each in supplies}
        settings = small_settings("strategy", name) | STRATEGY_PARTS.get(strategy_name, {})
        return catalog.load("strategy", name).build(space, objectives, Streams(seed), **supplied, **settings)

    return call


@pytest.fixture
def black_box(build: Build) -> Build:
    """Return the same for strategies that need no shared weights."""
    if isinstance(build(), Learns):
        pytest.skip("learns with shared weights")
    return build


def most_thorough(evaluations: Sequence[Evaluation]) -> list[Evaluation]:
    """Return those of the highest fidelity, since scores of different ones are not ranked against each other."""
    epochs = [each.proposal.fidelity.epochs if each.proposal.fidelity else 0 for each in evaluations]
    return [each for each, number in zip(evaluations, epochs, strict=True) if number == max(epochs)]


def play(strategy: Strategy, sizes: Sequence[int], outcome: Outcome = mixed) -> list[list[Proposal]]:
    """Play rounds and return what was proposed in each; the last proposal of each fourth round is never told."""
    rounds = []
    for number, size in enumerate(sizes):
        proposals = strategy.ask(size)
        assert len(proposals) <= size
        told = proposals[:-1] if number % 4 == 1 else proposals
        strategy.tell([outcome(proposal) for proposal in told])
        rounds.append(proposals)
    return rounds


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_proposals_are_members(black_box: Build, space: SearchSpace) -> None:
    proposals = [proposal for proposals in play(black_box(), ROUND_SIZES) for proposal in proposals]
    assert proposals
    assert all(space.is_valid(proposal.architecture) for proposal in proposals)


def test_one_seed_gives_one_course(black_box: Build) -> None:
    first, second, other = (play(black_box(seed), ROUND_SIZES) for seed in (0, 0, 1))
    assert first == second
    assert first != other


@pytest.mark.parametrize("stop", range(len(ROUND_SIZES)))
def test_a_search_goes_on_from_its_state_as_if_it_had_not_stopped(black_box: Build, stop: int) -> None:
    strategy, resumed = black_box(), black_box()
    play(strategy, ROUND_SIZES[:stop])
    resumed.load_state_dict(through_a_file(strategy.state_dict()))
    assert play(resumed, ROUND_SIZES[stop:]) == play(strategy, ROUND_SIZES[stop:])
    assert_equal(resumed.state_dict(), strategy.state_dict())
    assert resumed.recommend() == strategy.recommend()


def test_a_state_taken_between_ask_and_tell_is_whole(black_box: Build) -> None:
    strategy, resumed = black_box(), black_box()
    play(strategy, ROUND_SIZES[:3])
    pending = strategy.ask(3)
    resumed.load_state_dict(through_a_file(strategy.state_dict()))
    for one in (strategy, resumed):
        one.tell([mixed(proposal) for proposal in pending])
    assert play(resumed, ROUND_SIZES) == play(strategy, ROUND_SIZES)


def test_asking_for_none_gives_none(black_box: Build) -> None:
    strategy = black_box()
    assert strategy.ask(0) == []
    play(strategy, ROUND_SIZES)
    assert strategy.ask(0) == []


def test_asking_may_run_ahead_of_telling(black_box: Build, space: SearchSpace) -> None:
    strategy = black_box()
    batches = [strategy.ask(4) for _ in range(3)]
    assert all(space.is_valid(proposal.architecture) for batch in batches for proposal in batch)
    strategy.tell([success(proposal) for batch in batches for proposal in batch])
    assert strategy.ask(2)


def test_failures_alone_leave_nothing_to_recommend(black_box: Build) -> None:
    strategy = black_box()
    assert any(play(strategy, ROUND_SIZES, failure))
    with pytest.raises(ValueError, match="evaluat"):
        strategy.recommend()


def test_strangers_are_tolerated_and_may_be_recommended(black_box: Build, space: SearchSpace) -> None:
    generator = np.random.default_rng(0)
    strangers = [Proposal(sample(space, generator)) for _ in range(12)]
    strategy = black_box()
    strategy.tell([mixed(stranger) for stranger in strangers[:6]])
    play(strategy, ROUND_SIZES[:4])
    best = Evaluation(strangers[6], {"validation_accuracy": 2.0})
    strategy.tell([best, *(mixed(stranger) for stranger in strangers[7:])])
    play(strategy, ROUND_SIZES[4:])
    assert strategy.recommend() == best.proposal.architecture


def test_members_of_another_space_are_tolerated_and_never_recommended(black_box: Build, space: SearchSpace) -> None:
    strategy = black_box()
    strategy.tell([Evaluation(Proposal(Architecture("another", (0,) * 9)), {"validation_accuracy": 2.0})])
    play(strategy, ROUND_SIZES)
    assert strategy.recommend().space == space.name


def test_a_fidelity_that_was_not_asked_for_is_not_ranked_with_the_rest(black_box: Build, space: SearchSpace) -> None:
    strategy = black_box()
    proposals = play(strategy, ROUND_SIZES)[0]
    if any(proposal.fidelity is not None for proposal in proposals):
        pytest.skip("asks for fidelities itself")
    before = strategy.recommend()
    stranger = Proposal(sample(space, np.random.default_rng(0)), fidelity=Fidelity(epochs=7))
    strategy.tell([Evaluation(stranger, {"validation_accuracy": 2.0})])
    assert strategy.recommend() == before


def test_telling_may_be_late_partial_and_in_any_order(black_box: Build, space: SearchSpace) -> None:
    strategy = black_box()
    proposals = [proposal for size in ROUND_SIZES[:4] for proposal in strategy.ask(size)]
    for proposal in proposals[::-2]:
        strategy.tell([mixed(proposal)])
    strategy.tell([])
    later = play(strategy, ROUND_SIZES[4:])
    strategy.tell([mixed(proposal) for proposal in proposals[-2::-2]])
    later += play(strategy, ROUND_SIZES)
    assert all(space.is_valid(proposal.architecture) for round_ in later for proposal in round_)
    assert space.is_valid(strategy.recommend())


def test_no_global_random_state_is_touched(black_box: Build) -> None:
    def states() -> tuple[Any, Any, bytes]:
        return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().numpy().tobytes()  # noqa: NPY002

    before = states()
    strategy = black_box()
    play(strategy, ROUND_SIZES)
    strategy.load_state_dict(strategy.state_dict())
    strategy.recommend()
    assert states() == before


def test_before_anything_was_told_there_is_a_remedy(black_box: Build) -> None:
    strategy = black_box()
    for _ in range(2):
        with pytest.raises(ValueError, match="evaluat"):
            strategy.recommend()
        strategy.ask(3)


def test_the_recommended_one_is_the_best_told_and_of_equals_the_first(black_box: Build) -> None:
    def coarse(proposal: Proposal) -> Evaluation:
        return Evaluation(proposal, {"validation_accuracy": round(4 * draw(proposal.architecture, "accuracy")) / 4})

    strategy = black_box()
    told: list[Evaluation] = []

    def outcome(proposal: Proposal) -> Evaluation:
        told.append(coarse(proposal))
        return told[-1]

    play(strategy, ROUND_SIZES, outcome)
    best = max(most_thorough(told), key=lambda evaluation: evaluation.scores["validation_accuracy"])
    assert strategy.recommend() == best.proposal.architecture


def test_several_objectives_and_limits_are_taken(black_box: Build, space: SearchSpace) -> None:
    objectives = (ACCURACY, SIZE)
    strategy, resumed = black_box(objectives=objectives), black_box(objectives=objectives)
    proposals = [proposal for round_ in play(strategy, ROUND_SIZES, success) for proposal in round_]
    recommended = strategy.recommend()
    assert space.is_valid(recommended)
    assert recommended in [proposal.architecture for proposal in proposals]
    assert rank_key(success(Proposal(recommended)), objectives)[0] == 0.0
    resumed.load_state_dict(through_a_file(strategy.state_dict()))
    assert play(resumed, ROUND_SIZES, success) == play(strategy, ROUND_SIZES, success)


def test_a_minimized_objective_is_minimized(black_box: Build) -> None:
    strategy = black_box(objectives=(Objective("num_parameters", "minimize"),))
    told: list[Evaluation] = []

    def outcome(proposal: Proposal) -> Evaluation:
        told.append(success(proposal))
        return told[-1]

    play(strategy, ROUND_SIZES, outcome)
    least = min(evaluation.scores["num_parameters"] for evaluation in most_thorough(told))
    assert success(Proposal(strategy.recommend())).scores["num_parameters"] == least


def test_a_strategy_that_learns_says_so_when_asked_too_early(build: Build, space: SearchSpace) -> None:
    strategy = build()
    if not isinstance(strategy, Learns):
        pytest.skip("needs no shared weights")
    with pytest.raises(ValueError, match="learn"):
        strategy.ask(1)
    with pytest.raises(ValueError, match="learn"):
        strategy.recommend()
    stranger = Proposal(sample(space, np.random.default_rng(0)))
    strategy.tell([success(stranger), failure(stranger)])
    resumed = build()
    resumed.load_state_dict(through_a_file(strategy.state_dict()))
    with pytest.raises(ValueError, match="learn"):
        resumed.ask(1)


def test_plug_ins_are_imported_and_strategies_built_without_torch() -> None:
    # what checking a file of settings or starting a command touches; corruptions are loaded where they are applied
    program = """
import sys
sys.modules["torch"] = None
from nas_core import catalog
from nas_core.objectives import Objective
from nas_core.randomness import Streams
for kind in set(catalog.KINDS) - {"corruption"}:
    for name in catalog.names(kind):
        catalog.load(kind, name)
for space_name in catalog.names("space"):
    space = catalog.load("space", space_name).build()
    for name in catalog.names("strategy"):
        values = {"num_steps": 10, "screen": None}
        supplied = {key: values[key] for key in catalog.supplied("strategy", name) if key in values}
        catalog.load("strategy", name).build(space, [Objective("accuracy", "maximize")], Streams(0), **supplied)
"""
    folder = Path(catalog.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, timeout=120)
    assert done.returncode == 0, done.stderr
