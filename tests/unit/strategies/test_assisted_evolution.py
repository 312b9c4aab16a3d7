"""Assisted evolution: the pool, the moves, and what the cheap scores do not decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from grid_space import GridSpace, member, told

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.strategies.assisted_evolution import build
from nas_core.strategy import Strategy
from nas_core.variation import neighbors

SPACE = GridSpace((3,) * 6)
OBJECTIVES = (Objective("accuracy", "maximize"),)
PROMISE = Objective("promise", "maximize")


def promise(architecture: Architecture) -> float:
    """A number in base 3, so that no two are equal."""
    total = 0.0
    for decision in architecture.decisions:
        total = 3 * total + decision
    return total


class Promises:
    """Cheap scores; those of architectures that begin with 2, 2 fail."""

    def prepare(self, strategy: Strategy) -> None:
        pass

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [
            Evaluation(proposal, failure="unlucky")
            if proposal.architecture.decisions[:2] == (2, 2)
            else Evaluation(proposal, {"promise": promise(proposal.architecture)})
            for proposal in proposals
        ]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def assisted(screen: Screen | None = None, **settings: Any) -> Strategy:
    return build(SPACE, OBJECTIVES, Streams(0), screen=screen or Screen(Promises(), [PROMISE]), **settings)


def distance(first: Architecture, second: Architecture) -> int:
    return sum(a != b for a, b in zip(first.decisions, second.decisions, strict=True))


def test_the_best_of_the_pool_start_the_best_first() -> None:
    # all 729 are in the pool; 2, 2 fails, so the best are 2, 1, 2, 2, 2, 2 and those below it
    strategy = assisted(pool_size=5000, population_size=4)
    assert [proposal.architecture.decisions for proposal in strategy.ask(4)] == [
        (2, 1, 2, 2, 2, 2),
        (2, 1, 2, 2, 2, 1),
        (2, 1, 2, 2, 2, 0),
        (2, 1, 2, 2, 1, 2),
    ]


def test_a_pool_is_drawn_once_and_scored_apart() -> None:
    screen = Screen(Promises(), [PROMISE])
    strategy = assisted(screen, pool_size=50)
    assert screen.num_evaluations == 0
    first = strategy.ask(6)
    second = strategy.ask(4)
    assert screen.num_evaluations == 50
    founders = [promise(proposal.architecture) for proposal in (*first, *second)]
    assert founders == sorted(founders, reverse=True)
    assert len(set(founders)) == 10


def test_a_failed_founder_is_replaced_by_the_next_of_the_pool() -> None:
    strategy = assisted(pool_size=5000, population_size=2, tournament_size=1)
    first, second = strategy.ask(2)
    strategy.tell([Evaluation(first, failure="out of memory"), told(second.architecture.decisions, 0.5)])
    (third,) = strategy.ask(1)
    assert third.architecture.decisions == (2, 1, 2, 2, 2, 0)


def test_then_it_is_aging_evolution_by_the_evaluator_s_scores() -> None:
    screen = Screen(Promises(), [PROMISE])
    strategy = assisted(screen, population_size=3, tournament_size=3)
    promising, accurate, other = member(2, 1, 2, 2, 2, 2), member(0, 0, 0, 0, 0, 0), member(1, 1, 1, 1, 1, 1)
    strategy.tell([told(promising.decisions, 0.1), told(accurate.decisions, 0.9), told(other.decisions, 0.5)])
    children = [proposal.architecture for proposal in strategy.ask(2000)]
    shares = [sum(distance(child, parent) == 1 for child in children) / 2000 for parent in (promising, accurate, other)]
    # three draws with replacement from three, as in regularized evolution
    assert shares == pytest.approx([1 / 27, 19 / 27, 7 / 27], abs=0.03)
    assert screen.num_evaluations == 0
    assert strategy.recommend() == accurate
    strategy.tell([told((0, 0, 0, 1, 1, 1), 0.2)])
    assert [made for _, made in strategy.state_dict()["population"]] == [[0] * 6, [1] * 6, [0, 0, 0, 1, 1, 1]]


def test_moves_are_to_the_best_neighbors_that_were_not_proposed() -> None:
    screen = Screen(Promises(), [PROMISE])
    strategy = assisted(screen, population_size=1, tournament_size=1, propose_moves=True, random_move_probability=0.0)
    parent = member(0, 1, 1, 1, 1, 1)
    strategy.tell([told(parent.decisions, 0.5)])
    best = sorted(neighbors(SPACE, parent), key=promise, reverse=True)
    assert [proposal.architecture for proposal in strategy.ask(12)] == best
    assert screen.num_evaluations == 12
    # when all are known, a random one
    assert distance(strategy.ask(1)[0].architecture, parent) == 1


def test_some_moves_are_random() -> None:
    strategy = assisted(population_size=1, tournament_size=1, propose_moves=True, random_move_probability=0.25)
    state = strategy.state_dict()
    num_best = 0
    parent = member(0, 1, 1, 1, 1, 1)
    for seed in range(1000):
        other = build(SPACE, OBJECTIVES, Streams(seed), screen=Screen(Promises(), [PROMISE]))
        strategy.load_state_dict({**state, "generator": other.state_dict()["generator"]})
        strategy.tell([told(parent.decisions, 0.5)])
        num_best += strategy.ask(1)[0].architecture == member(2, 1, 1, 1, 1, 1)
    # three of four, and one in twelve of the rest
    assert num_best / 1000 == pytest.approx(0.75 + 0.25 / 12, abs=0.04)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"population_size": 2}, "tournament_size is 3, larger than population_size 2"),
        ({"pool_size": 5}, "population_size is 10, larger than pool_size 5"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assisted(**settings)
