"""Local search: the start, the first improvement, the optimum and what comes after it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.local_search import build
from nas_core.strategy import Strategy

SPACE = GridSpace((3,) * 4)
OBJECTIVES = (Objective("accuracy", "maximize"),)


def climber(num_initial: int = 1, seed: int = 0, space: GridSpace = SPACE) -> Strategy:
    return build(space, OBJECTIVES, Streams(seed), num_initial=num_initial)


def one(strategy: Strategy) -> Architecture:
    (proposal,) = strategy.ask(1)
    return proposal.architecture


def distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def share_of_twos(architecture: Architecture) -> float:
    return sum(decision == 2 for decision in architecture.decisions) / len(architecture.decisions)


def test_a_climb_starts_from_the_best_of_the_samples() -> None:
    strategy = climber(num_initial=3)
    samples = [one(strategy) for _ in range(3)]
    for sample, accuracy in zip(samples, (0.2, 0.9, 0.4), strict=True):
        strategy.tell([told(sample.decisions, accuracy)])
    neighbors = [one(strategy) for _ in range(4)]
    assert [distance(neighbor, samples[1]) for neighbor in neighbors] == [1] * 4


def test_every_neighbor_is_asked_for_once_in_an_order_that_the_seed_decides() -> None:
    orders = []
    for seed in range(4):
        strategy = climber(seed=seed)
        strategy.tell([told((1, 1, 1, 1), 0.9)])
        orders.append([one(strategy) for _ in range(8)])
        assert len(set(orders[-1])) == 8
        assert {distance(neighbor, member(1, 1, 1, 1)) for neighbor in orders[-1]} == {1}
    assert len(set(map(tuple, orders))) == 4


def test_the_first_better_neighbor_is_where_it_stands_next() -> None:
    strategy = climber()
    strategy.tell([told((0, 0, 0, 0), 0.5)])
    worse = one(strategy)
    strategy.tell([told(worse.decisions, 0.4)])
    better = one(strategy)
    assert distance(better, member(0, 0, 0, 0)) == 1
    strategy.tell([told(better.decisions, 0.6)])
    following = [one(strategy) for _ in range(3)]
    assert [distance(neighbor, better) for neighbor in following] == [1] * 3


def test_an_equal_neighbor_does_not_move_it() -> None:
    strategy = climber()
    strategy.tell([told((0, 0, 0, 0), 0.5)])
    for _ in range(8):
        neighbor = one(strategy)
        assert distance(neighbor, member(0, 0, 0, 0)) == 1
        strategy.tell([told(neighbor.decisions, 0.5)])


def test_an_optimum_is_followed_by_as_many_new_samples_and_a_climb_from_the_best_of_those() -> None:
    strategy = climber(num_initial=2)
    strategy.tell([told((0, 0, 0, 0), 0.9), told((2, 2, 2, 2), 0.1)])
    asked = {member(0, 0, 0, 0), member(2, 2, 2, 2)}
    for _ in range(8):
        neighbor = one(strategy)
        strategy.tell([told(neighbor.decisions, 0.2)])
        asked.add(neighbor)
    assert len(asked) == 10
    samples = []
    for accuracy in (0.3, 0.5):
        samples.append(one(strategy))
        strategy.tell([told(samples[-1].decisions, accuracy)])
    assert not asked & set(samples)
    # worse than the first optimum, and still where the second climb starts
    assert distance(one(strategy), samples[1]) == 1
    assert strategy.recommend() == member(0, 0, 0, 0)


@pytest.mark.parametrize("round_size", [1, 5])
def test_it_finds_the_optimum_of_a_sum_in_as_many_steps_as_there_are_choices(round_size: int) -> None:
    # of the 2 * 6 neighbors at most 12 are asked for before the next of at most 6 moves
    space = GridSpace((3,) * 6)
    for seed in range(10):
        strategy = climber(num_initial=5, seed=seed, space=space)
        for _ in range(-(-(5 + 6 * 12) // round_size)):
            proposals = strategy.ask(round_size)
            strategy.tell([told(p.architecture.decisions, share_of_twos(p.architecture)) for p in proposals])
        assert strategy.recommend() == member(*(2,) * 6)


def test_restarts_leave_a_local_optimum_and_end_when_all_is_known() -> None:
    # alone in its neighborhood the best is found by going through everything: 81 networks, each once
    strategy = climber(num_initial=2)
    asked = []
    while proposals := strategy.ask(1):
        asked.append(proposals[0].architecture)
        ones = sum(decision == 1 for decision in asked[-1].decisions)
        accuracy = 1.0 if asked[-1] == member(2, 2, 2, 2) else ones / 10
        strategy.tell([told(asked[-1].decisions, accuracy)])
    assert sorted(asked) == [member(*decisions) for decisions in itertools.product(range(3), repeat=4)]
    assert strategy.recommend() == member(2, 2, 2, 2)


@dataclass(frozen=True)
class TwinSpace(GridSpace):
    """Options 1 and 2 of the last choice do the same."""

    def canonical(self, architecture: Architecture) -> Architecture:
        return member(*architecture.decisions[:-1], min(1, architecture.decisions[-1]))


@pytest.mark.parametrize(("skip_equal_networks", "num_asked"), [(False, 9), (True, 6)])
def test_one_network_by_two_names_is_asked_for_twice_unless_told_otherwise(
    skip_equal_networks: bool, num_asked: int
) -> None:
    strategy = build(TwinSpace((3, 3)), OBJECTIVES, Streams(0), skip_equal_networks=skip_equal_networks)
    asked = []
    while proposals := strategy.ask(1):
        asked.append(proposals[0].architecture)
        strategy.tell([told(asked[-1].decisions, 0.5)])
    assert len(set(asked)) == len(asked) == num_asked


def test_failures_move_nothing_and_a_failed_sample_is_made_up_for() -> None:
    strategy = climber(num_initial=2)
    failed = one(strategy)
    strategy.tell([Evaluation(Proposal(failed), failure="out of memory")])
    samples = [one(strategy), one(strategy)]
    strategy.tell([told(samples[0].decisions, 0.5), told(samples[1].decisions, 0.4)])
    neighbor = one(strategy)
    strategy.tell([Evaluation(Proposal(neighbor), failure="diverged")])
    following = one(strategy)
    assert following != neighbor
    assert distance(following, samples[0]) == 1


def test_a_late_neighbor_that_is_better_takes_the_climb_up_again() -> None:
    strategy = climber(num_initial=5)
    strategy.tell([told((0, 0, 0, 0), 0.5), *(told((2, 2, 2, last), 0.1) for last in range(3)), told((2,) * 4, 0.1)])
    batch = [proposal.architecture for proposal in strategy.ask(11)]
    late, samples = batch[:8], batch[8:]
    assert {distance(neighbor, member(0, 0, 0, 0)) for neighbor in late} == {1}
    strategy.tell([told(sample.decisions, 0.2) for sample in samples])
    strategy.tell([told(late[0].decisions, 0.6)])
    assert distance(one(strategy), late[0]) == 1


def test_what_keeps_the_limits_is_better_than_what_does_not() -> None:
    objectives = (*OBJECTIVES, Objective("num_parameters", "minimize", limit=10.0))
    strategy = build(SPACE, objectives, Streams(0), num_initial=1)

    def scored(architecture: Architecture, accuracy: float, size: float) -> Evaluation:
        return Evaluation(Proposal(architecture), {"accuracy": accuracy, "num_parameters": size})

    strategy.tell([scored(member(0, 0, 0, 0), 0.9, 12.0)])
    inside = one(strategy)
    strategy.tell([scored(inside, 0.1, 9.0)])
    outside = one(strategy)
    assert distance(outside, inside) == 1
    strategy.tell([scored(outside, 0.95, 11.0)])
    assert distance(one(strategy), inside) == 1
    assert strategy.recommend() == inside
