"""Bayesian optimization: what it proposes when, that it beats chance, raises the hypervolume and keeps limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.pareto import hypervolume
from nas_core.randomness import Streams
from nas_core.strategies import random_search
from nas_core.strategies.gaussian_process import build
from nas_core.strategy import Strategy

OBJECTIVES = (Objective("accuracy", "maximize"),)
SPACE = GridSpace((3,) * 5)
WEIGHTS = np.random.default_rng(0).standard_normal((5, 3))
SMALL = {"num_initial": 8, "num_samples": 40, "num_climbs": 2, "num_draws": 32, "max_fit_steps": 10}


def accuracy(architecture: Architecture) -> float:
    """A sum with one interaction; unique best."""
    made = architecture.decisions
    return float(sum(WEIGHTS[place, option] for place, option in enumerate(made)) + 0.5 * (made[0] == made[1]))


def scored(architecture: Architecture) -> Evaluation:
    return Evaluation(
        Proposal(architecture), {"accuracy": accuracy(architecture), "size": float(sum(architecture.decisions))}
    )


def played(
    strategy: Strategy, sizes: Sequence[int], outcome: Callable[[Architecture], Evaluation] = scored
) -> list[Architecture]:
    found = []
    for size in sizes:
        proposals = [proposal.architecture for proposal in strategy.ask(size)]
        strategy.tell([outcome(architecture) for architecture in proposals])
        found += proposals
    return found


def start(objectives: Sequence[Objective] = OBJECTIVES, seed: int = 0, **changes: Any) -> Strategy:
    return build(SPACE, objectives, Streams(seed), **(SMALL | changes))


def everyone() -> list[Architecture]:
    return [member(*decisions) for decisions in np.ndindex(*(3,) * 5)]


def test_it_finds_the_best_of_a_space_in_fewer_evaluations_than_chance() -> None:
    best = max(everyone(), key=accuracy)
    searched = [played(start(seed=seed), (8, *[4] * 7)) for seed in range(4)]
    drawn = [played(random_search.build(SPACE, OBJECTIVES, Streams(seed)), (36,)) for seed in range(4)]
    assert sum(best in course for course in searched) >= 3
    # chance finds one of 243 in 36 draws with probability 1/7
    assert sum(best in course for course in drawn) <= 2


def test_of_a_round_no_two_and_nothing_known_are_proposed() -> None:
    strategy = start(num_initial=3)
    course = played(strategy, (3, 5, 5))
    ahead = [proposal.architecture for _ in range(2) for proposal in strategy.ask(4)]
    assert len(set(course + ahead)) == len(course + ahead)


def test_what_is_awaited_changes_what_comes_next() -> None:
    first, second = start(), start()
    for strategy in (first, second):
        strategy.tell([scored(architecture) for architecture in everyone()[::20]])
    (alone,) = first.ask(1)
    assert second.ask(1) == [alone]
    # the same model and nothing told in between: another one is best beside the one awaited
    assert first.ask(1) == second.ask(1) != [alone]
    pending = first.state_dict()["pending"]
    assert len(pending) == 2
    assert pending[0] == list(alone.architecture.decisions)
    first.tell([Evaluation(alone, failure="out of memory")])
    assert len(first.state_dict()["pending"]) == 1


def test_random_proposals_come_until_enough_succeeded() -> None:
    strategy, chance = start(num_initial=4), start(num_initial=40)
    for outcome in (scored, lambda one: Evaluation(Proposal(one), failure="diverged"), scored):
        assert played(strategy, (2,), outcome) == played(chance, (2,), outcome)
    assert played(strategy, (3,)) != played(chance, (3,))


def test_equal_costs_and_a_space_that_is_used_up_are_no_obstacle() -> None:
    strategy = build(GridSpace((2, 2, 2)), OBJECTIVES, Streams(0), num_initial=2, num_samples=5, num_draws=4)
    course = played(strategy, (2, 2, 2, 5), lambda architecture: told(architecture.decisions, 0.5))
    assert len(course) == len(set(course)) == 8


def test_a_few_very_bad_costs_do_not_hide_the_rest() -> None:
    # one in nine hardly learns; half-rank warping leaves the differences of the good ones visible
    def outcome(architecture: Architecture) -> Evaluation:
        fails = architecture.decisions[:2] == (0, 0)
        return told(architecture.decisions, -1e4 if fails else accuracy(architecture))

    best = max((one for one in everyone() if one.decisions[:2] != (0, 0)), key=accuracy)
    assert sum(best in played(start(seed=seed), (8, *[4] * 7), outcome) for seed in range(3)) >= 2


def test_the_front_grows_faster_than_by_chance() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize"))

    def volume(course: Sequence[Architecture]) -> float:
        costs = [(-accuracy(one), float(sum(one.decisions))) for one in course]
        return hypervolume(costs, (3.0, 11.0))

    whole = volume(everyone())
    searched = [volume(played(start(objectives, seed), (8, 4, 4, 4, 4))) for seed in range(2)]
    drawn = [
        volume(played(random_search.build(SPACE, objectives, Streams(seed)), (8, 4, 4, 4, 4))) for seed in range(2)
    ]
    assert min(searched) > max(drawn)
    assert min(searched) > 0.9 * whole


def test_the_front_is_searched_within_limits() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=3.0))
    strategy = start(objectives)
    sizes = [sum(one.decisions) for one in played(strategy, (8, 4, 4, 4))]
    # of all members 21 % keep the limit
    assert sum(size <= 3 for size in sizes[:8]) <= 4
    assert np.mean([size <= 3 for size in sizes[8:]]) > 0.5
    assert sum(strategy.recommend().decisions) <= 3


def test_without_a_front_it_finds_the_best_within_limits() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=3.0))
    best = max((one for one in everyone() if sum(one.decisions) <= 3), key=accuracy)
    for seed in range(2):
        strategy = start(objectives, seed, front=False)
        played(strategy, (8, 4, 4, 4))
        assert strategy.recommend() == best


def test_where_nothing_keeps_the_limits_it_looks_for_what_does() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=1.0))
    for front in (True, False):
        strategy = start(objectives, front=front)
        strategy.tell([scored(one) for one in everyone() if 6 <= sum(one.decisions) <= 7][::6])
        course = played(strategy, (3, 3, 3))
        assert min(sum(one.decisions) for one in course) <= 1
