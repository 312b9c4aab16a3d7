"""Regularized evolution: aging, tournaments and how the population is provided for."""

from __future__ import annotations

import pytest
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies import random_search
from nas_core.strategies.regularized_evolution import build
from nas_core.strategy import Strategy

SPACE = GridSpace((3,) * 6)
OBJECTIVES = (Objective("accuracy", "maximize"),)


def evolution(population_size: int, tournament_size: int, seed: int = 0) -> Strategy:
    return build(SPACE, OBJECTIVES, Streams(seed), population_size=population_size, tournament_size=tournament_size)


def population(strategy: Strategy) -> list[tuple[int, ...]]:
    return [tuple(decisions) for _, decisions in strategy.state_dict()["population"]]


def distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def test_the_oldest_dies_however_good_it_is() -> None:
    strategy = evolution(3, 1)
    strategy.tell([told((0,) * 6, 0.99), told((1,) * 6, 0.2), told((2,) * 6, 0.3)])
    assert population(strategy) == [(0,) * 6, (1,) * 6, (2,) * 6]
    strategy.tell([told((0, 0, 0, 1, 1, 1), 0.1)])
    assert population(strategy) == [(1,) * 6, (2,) * 6, (0, 0, 0, 1, 1, 1)]
    assert strategy.recommend() == member(*(0,) * 6)


def test_the_best_of_a_tournament_has_the_child() -> None:
    members = [(0,) * 6, (1,) * 6, (2,) * 6]
    strategy = evolution(3, 3)
    strategy.tell([told(members[0], 0.1), told(members[1], 0.9), told(members[2], 0.5)])
    num_children = [0, 0, 0]
    for proposal in strategy.ask(3000):
        nearest = [distance(proposal.architecture, member(*decisions)) for decisions in members]
        assert sorted(nearest)[0] == 1
        num_children[nearest.index(1)] += 1
    # three draws with replacement from three: the best wins unless it is never drawn, 1 - (2/3)^3 = 19/27; the worst
    # wins if it alone is drawn, 1/27
    shares = [number / 3000 for number in num_children]
    assert shares == pytest.approx([1 / 27, 19 / 27, 7 / 27], abs=0.03)


def test_a_tournament_of_one_is_a_uniform_draw() -> None:
    strategy = evolution(2, 1)
    strategy.tell([told((0,) * 6, 0.1), told((2,) * 6, 0.9)])
    children = strategy.ask(2000)
    share = sum(distance(child.architecture, member(*(0,) * 6)) == 1 for child in children) / 2000
    assert share == pytest.approx(0.5, abs=0.04)


def test_the_first_members_are_samples_and_then_come_children() -> None:
    strategy = evolution(4, 4)
    founders = [proposal.architecture for proposal in strategy.ask(4)]
    strategy.tell([told(founder.decisions, 0.5) for founder in founders])
    assert population(strategy) == [founder.decisions for founder in founders]
    for proposal in strategy.ask(20):
        assert min(distance(proposal.architecture, founder) for founder in founders) <= 1


def test_one_at_a_time_the_first_members_are_as_many_as_the_population() -> None:
    strategy = evolution(5, 2)
    for number in range(5):
        assert len(strategy.state_dict()["awaited"]) == 0
        (proposal,) = strategy.ask(1)
        assert len(strategy.state_dict()["awaited"]) == 1, number
        strategy.tell([told(proposal.architecture.decisions, 0.5)])
    strategy.ask(1)
    assert strategy.state_dict()["awaited"] == []


def test_a_failed_first_member_is_made_up_for() -> None:
    strategy = evolution(2, 1)
    first, second = strategy.ask(2)
    strategy.tell([Evaluation(first, failure="out of memory"), told(second.architecture.decisions, 0.5)])
    assert population(strategy) == [second.architecture.decisions]
    (third,) = strategy.ask(1)
    assert strategy.state_dict()["awaited"] == [[1, list(third.architecture.decisions)]]


def test_a_first_member_that_never_comes_back_does_not_hold_up_the_rest() -> None:
    strategy = evolution(2, 1)
    first, _ = strategy.ask(2)
    strategy.tell([told(first.architecture.decisions, 0.5)])
    for proposal in strategy.ask(5):
        assert distance(proposal.architecture, first.architecture) == 1


def test_a_failed_child_changes_nothing() -> None:
    strategy = evolution(2, 1)
    strategy.tell([told((0,) * 6, 0.1), told((2,) * 6, 0.9)])
    before = population(strategy)
    strategy.tell([Evaluation(Proposal(member(*(1,) * 6)), failure="diverged")])
    assert population(strategy) == before


def test_strangers_enter_the_population() -> None:
    strategy = evolution(2, 1)
    strategy.tell([told((0, 1, 2, 0, 1, 2), 0.4)])
    assert population(strategy) == [(0, 1, 2, 0, 1, 2)]


def test_what_keeps_the_limits_wins_against_what_is_better_beyond_them() -> None:
    objectives = (*OBJECTIVES, Objective("num_parameters", "minimize", limit=10.0))
    strategy = build(SPACE, objectives, Streams(0), population_size=2, tournament_size=2)
    inside, outside = (0,) * 6, (2,) * 6
    strategy.tell(
        [
            Evaluation(Proposal(member(*inside)), {"accuracy": 0.2, "num_parameters": 9.0}),
            Evaluation(Proposal(member(*outside)), {"accuracy": 0.9, "num_parameters": 11.0}),
        ]
    )
    assert strategy.recommend() == member(*inside)
    near = [distance(child.architecture, member(*inside)) == 1 for child in strategy.ask(1000)]
    assert sum(near) / 1000 == pytest.approx(0.75, abs=0.05)


def test_telling_in_pieces_is_telling_at_once() -> None:
    evaluations = [told((place % 3,) * 6, place / 10) for place in range(7)]
    together, apart = evolution(4, 2), evolution(4, 2)
    together.tell(evaluations)
    for evaluation in evaluations:
        apart.tell([evaluation])
    assert together.ask(5) == apart.ask(5)


def test_a_tournament_larger_than_the_population_is_refused() -> None:
    with pytest.raises(ValueError, match="tournament_size is 60, larger than population_size 50"):
        evolution(50, 60)


def test_it_climbs_where_random_search_does_not() -> None:
    space = GridSpace((4,) * 10)

    def best(strategy: Strategy) -> float:
        for _ in range(300):
            (proposal,) = strategy.ask(1)
            share = sum(decision == 3 for decision in proposal.architecture.decisions) / 10
            strategy.tell([told(proposal.architecture.decisions, share)])
        return sum(decision == 3 for decision in strategy.recommend().decisions) / 10

    evolved = [best(build(space, OBJECTIVES, Streams(seed))) for seed in range(10)]
    drawn = [best(random_search.build(space, OBJECTIVES, Streams(seed))) for seed in range(10)]
    assert sum(evolved) / 10 > sum(drawn) / 10 + 0.1
