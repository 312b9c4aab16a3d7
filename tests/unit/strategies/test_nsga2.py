"""NSGA-II: constrained ranks, tournaments, survival, and the front of a toy."""

from __future__ import annotations

import numpy as np
import pytest
from grid_space import GridSpace, member

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.pareto import hypervolume
from nas_core.randomness import Streams
from nas_core.strategies import random_search
from nas_core.strategies.nsga2 import build, constrained_ranks, ranks_and_distances
from nas_core.strategy import Strategy

SPACE = GridSpace((3,) * 6)
OBJECTIVES = (Objective("accuracy", "maximize"), Objective("num_parameters", "minimize"))


def told(decisions: tuple[int, ...], accuracy: float, num_parameters: float) -> Evaluation:
    return Evaluation(Proposal(member(*decisions)), {"accuracy": accuracy, "num_parameters": num_parameters})


def population(strategy: Strategy) -> list[tuple[int, ...]]:
    return [tuple(decisions) for _, decisions in strategy.state_dict()["population"]]


def distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def test_what_keeps_the_limits_dominates_the_rest_which_the_excess_orders() -> None:
    # excess, then two costs: two ranks within the limits, then by the excess alone, equal excesses together
    keys = np.array(
        [[0.0, 3.0, 3.0], [0.2, 0.0, 0.0], [0.0, 1.0, 2.0], [0.1, 9.0, 9.0], [0.0, 2.0, 1.0], [0.2, 5.0, 5.0]]
    )
    assert constrained_ranks(keys).tolist() == [1, 3, 0, 2, 0, 3]
    assert constrained_ranks(keys[[1, 3]]).tolist() == [1, 0]


def test_distances_are_within_a_rank() -> None:
    # the front (0,4) (1,2) (4,0) by hand: in the middle (4-0)/4 + (4-0)/4; the other rank has two ends
    keys = np.array([[0, 0, 4], [0, 1, 2], [0, 4, 0], [0, 5, 5], [0, 2, 6]], dtype=float)
    ranks, distances = ranks_and_distances(keys)
    assert ranks.tolist() == [0, 0, 0, 1, 1]
    assert distances.tolist() == [np.inf, 2.0, np.inf, np.inf, np.inf]


def test_the_best_ranks_survive_and_of_the_last_the_least_crowded() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0), population_size=3)
    # the first generation is the population, whatever it is worth
    strategy.tell([told((0,) * 6, 0.1, 9.0), told((0, 0, 0, 0, 0, 1), 0.2, 9.5), told((0, 0, 0, 0, 0, 2), 0.05, 10.0)])
    assert len(population(strategy)) == 3
    # costs (-.1, 9) (-.2, 9.5) are on a front with (-.6, 10) (-.5, 9.9); (-.05, 10) and (-.04, 11) are dominated.
    # distances: ends infinite; (-.2, 9.5): (.5 - .1) / .5 + (9.9 - 9) / 1 = 1.7; (-.5, 9.9): .4 / .5 + .5 / 1 = 1.3
    strategy.tell([told((1,) * 6, 0.6, 10.0), told((2,) * 6, 0.5, 9.9), told((1, 1, 1, 2, 2, 2), 0.04, 11.0)])
    assert sorted(population(strategy)) == [(0,) * 6, (0, 0, 0, 0, 0, 1), (1,) * 6]


def test_members_beyond_a_limit_die_first() -> None:
    objectives = (OBJECTIVES[0], Objective("num_parameters", "minimize", limit=10.0))
    strategy = build(SPACE, objectives, Streams(0), population_size=2)
    strategy.tell([told((0,) * 6, 0.9, 12.0), told((1,) * 6, 0.8, 11.0)])
    assert strategy.recommend() == member(*(1,) * 6)
    strategy.tell([told((2,) * 6, 0.1, 10.0), told((2, 2, 2, 0, 0, 0), 0.95, 13.0)])
    assert population(strategy) == [(2,) * 6, (1,) * 6]
    assert strategy.recommend() == member(*(2,) * 6)


def test_the_lower_rank_wins_a_tournament() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0), population_size=2, crossover_probability=0.0)
    better, worse = (0,) * 6, (2,) * 6
    strategy.tell([told(worse, 0.2, 9.0), told(better, 0.3, 8.0)])
    children = strategy.ask(2000)
    # of two draws with replacement from two the worse wins if both are it
    share = sum(distance(child.architecture, member(*worse)) == 1 for child in children) / 2000
    assert share == pytest.approx(0.25, abs=0.04)


def test_in_one_rank_the_less_crowded_wins_a_tournament() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0), population_size=4, crossover_probability=0.0)
    members = [(0,) * 6, (1,) * 6, (2,) * 6, (0, 0, 1, 1, 2, 2)]
    costs = [(0.1, 1.0), (0.2, 2.0), (0.3, 3.0), (0.9, 9.0)]
    strategy.tell([told(made, *scores) for made, scores in zip(members, costs, strict=True)])
    num_children = {made: 0 for made in members}
    for child in strategy.ask(4000):
        for made in members:
            num_children[made] += distance(child.architecture, member(*made)) == 1
    # the ends, equal to each other, win unless neither is drawn; the second has distance .25 + .25, the third .7 * 2
    shares = [num_children[made] / 4000 for made in members]
    assert shares == pytest.approx([6 / 16, 1 / 16, 3 / 16, 6 / 16], abs=0.03)


def test_a_child_without_mutation_takes_each_choice_from_a_parent() -> None:
    strategy = build(
        SPACE, OBJECTIVES, Streams(0), population_size=2, crossover_probability=1.0, mutation_probability=0.0
    )
    strategy.tell([told((0, 1, 0, 1, 0, 1), 0.2, 1.0), told((2, 2, 2, 2, 2, 2), 0.3, 2.0)])
    children = [child.architecture.decisions for child in strategy.ask(400)]
    for place in range(6):
        options = [made[place] for made in children]
        assert set(options) == {place % 2, 2}
        assert options.count(2) / 400 == pytest.approx(0.5, abs=0.1)


def test_failures_are_made_up_for() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0), population_size=2)
    first, second = strategy.ask(2)
    strategy.tell([Evaluation(first, failure="out of memory"), told(second.architecture.decisions, 0.5, 1.0)])
    assert population(strategy) == []
    (third,) = strategy.ask(1)
    strategy.tell([told(third.architecture.decisions, 0.4, 0.5)])
    assert sorted(population(strategy)) == sorted([second.architecture.decisions, third.architecture.decisions])


def test_children_that_could_only_be_copies_are_refused() -> None:
    with pytest.raises(ValueError, match="crossover_probability and mutation_probability are both 0"):
        build(SPACE, OBJECTIVES, Streams(0), crossover_probability=0.0, mutation_probability=0.0)


def test_it_comes_closer_to_the_whole_front_than_random_search() -> None:
    # leading twos are accurate, trailing zeros cheap: the front is k twos and then zeros, for k = 0..8
    space = GridSpace((3,) * 8)

    def scored(architecture: Architecture) -> Evaluation:
        made = architecture.decisions
        twos = next((place for place, decision in enumerate(made) if decision != 2), 8)
        zeros = next((place for place, decision in enumerate(reversed(made)) if decision != 0), 8)
        return told(made, twos / 8, 8.0 - zeros)

    def volume(strategy: Strategy) -> float:
        costs = []
        for _ in range(30):
            evaluations = [scored(proposal.architecture) for proposal in strategy.ask(20)]
            strategy.tell(evaluations)
            costs += [(-each.scores["accuracy"] * 8, each.scores["num_parameters"]) for each in evaluations]
        return hypervolume(costs, (1.0, 9.0))

    front = hypervolume([(-float(k), float(k)) for k in range(9)], (1.0, 9.0))
    evolved = [volume(build(space, OBJECTIVES, Streams(seed))) for seed in range(5)]
    drawn = [volume(random_search.build(space, OBJECTIVES, Streams(seed))) for seed in range(5)]
    assert sum(evolved) / 5 > 0.9 * front
    assert max(drawn) < min(evolved)
