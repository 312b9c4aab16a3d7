"""Hill climbing by morphisms: its steps, who goes on, and where it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from grid_space import GridSpace
from stairs_space import StairsSpace, member

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategies.hill_climbing import build
from nas_core.strategy import Strategy
from nas_core.variation import neighbors

ACCURACY = Objective("accuracy", "maximize")
SPACE = StairsSpace((9,) * 6)
START = member(*(0,) * 6)


def climber(space: SearchSpace = SPACE, seed: int = 0, **settings: Any) -> Strategy:
    return build(space, [ACCURACY], Streams(seed), **settings)


def told(proposal: Proposal, accuracy: float) -> Evaluation:
    return Evaluation(proposal, {"accuracy": accuracy})


def bumps(architecture: Architecture) -> float:
    """A landscape with several local optima; no two of 4 x 4 x 4 are equal."""
    a, b, c = architecture.decisions[:3]
    return a + (b * 3 + a) % 4 + (c * 2 + b) % 3 - 0.1 * c + 0.001 * (a + 4 * b + 16 * c)


def climb(strategy: Strategy, accuracy: Callable[[Architecture], float]) -> Iterator[list[tuple[int, ...]]]:
    """Climb until nothing is asked for any more; give all that was told each time another climb begins."""
    told_so_far: list[tuple[int, ...]] = []
    while proposals := strategy.ask(100):
        if told_so_far and not strategy.state_dict()["candidates"]:
            yield list(told_so_far)
        strategy.tell([told(proposal, accuracy(proposal.architecture)) for proposal in proposals])
        told_so_far.extend(proposal.architecture.decisions for proposal in proposals)
    yield told_so_far


def test_a_step_is_seven_children_by_five_morphisms_and_the_network_itself() -> None:
    strategy = climber()
    first = strategy.ask(100)
    assert first == [Proposal(START)]
    strategy.tell([told(first[0], 0.5)])
    *children, itself = strategy.ask(100)
    assert len(children) == 7
    for child in children:
        assert child.parent == START
        assert len(child.morphisms) == 5
        architecture = START
        for name in child.morphisms:
            architecture = SPACE.morphed(architecture, name)
        assert architecture == child.architecture
    assert len({child.architecture for child in children}) == 7
    assert itself == Proposal(START, parent=START)


def test_the_best_of_the_step_goes_on() -> None:
    strategy = climber()
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    step = strategy.ask(8)
    strategy.tell([told(proposal, 0.6 + 0.01 * (number == 3)) for number, proposal in enumerate(step)])
    assert {proposal.parent for proposal in strategy.ask(8)} == {step[3].architecture}


@pytest.mark.parametrize(("trained_on", "goes_on"), [(0.44, "child"), (0.45, "itself"), (0.7, "itself")])
def test_the_current_network_counts_by_its_training_on(trained_on: float, goes_on: str) -> None:
    strategy = climber()
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    *children, itself = strategy.ask(8)
    strategy.tell([told(itself, trained_on)])
    strategy.tell([told(child, 0.45 if number == 2 else 0.1) for number, child in enumerate(children)])
    expected = children[2].architecture if goes_on == "child" else START
    assert strategy.ask(8)[0].parent == expected


def test_where_its_training_on_failed_it_counts_by_what_it_was() -> None:
    strategy = climber()
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    *children, itself = strategy.ask(8)
    strategy.tell([Evaluation(itself, failure="out of memory"), *(told(child, 0.45) for child in children)])
    again = strategy.ask(8)
    assert again[0].parent == START
    assert not {child.architecture for child in children} & {proposal.architecture for proposal in again}


def test_without_training_on_all_are_children() -> None:
    strategy = climber(train_on=False)
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    assert all(proposal.architecture != START for proposal in strategy.ask(8))


@pytest.mark.parametrize("sizes", [(1,), (3, 5), (8, 2)])
def test_rounds_of_any_size_are_one_course(sizes: Sequence[int]) -> None:
    def course(sizes: Sequence[int]) -> list[Proposal]:
        strategy, asked = climber(num_neighbors=4, num_morphisms=2), []
        for number in range(60):
            proposals = strategy.ask(sizes[number % len(sizes)])
            strategy.tell([told(proposal, bumps(proposal.architecture)) for proposal in proposals])
            asked.extend(proposals)
        return asked[:25]

    assert course(sizes) == course((100,))


@pytest.mark.parametrize("seed", range(5))
def test_it_climbs_to_the_only_optimum_and_never_down(seed: int) -> None:
    strategy = climber(StairsSpace((4, 4, 4)), seed, num_morphisms=1, num_neighbors=3)
    heights = [0]
    top = member(3, 3, 3)
    best = None
    while best != top:
        proposals = strategy.ask(100)
        heights.extend(sum(proposal.parent.decisions) for proposal in proposals if proposal.parent is not None)
        strategy.tell([told(proposal, float(sum(proposal.architecture.decisions))) for proposal in proposals])
        best = strategy.recommend()
    assert heights == sorted(heights)
    assert heights[-1] == 8
    # at the top there is no child: another climb begins
    (again,) = strategy.ask(100)
    assert again.parent is None


@pytest.mark.parametrize("seed", range(5))
def test_without_morphisms_another_climb_begins_where_no_neighbor_is_better(seed: int) -> None:
    space = GridSpace((4, 4, 4))
    strategy = climber(space, seed)
    climbs = list(climb(strategy, bumps))
    first = set(climbs[0])
    assert len(climbs) > 1
    best = max((Architecture(space.name, decisions) for decisions in first), key=bumps)
    assert all(neighbor.decisions in first for neighbor in neighbors(space, best))
    # in the end all are known, each asked for once, and the best of all climbs is recommended
    assert len(climbs[-1]) == len(set(climbs[-1])) == 64
    assert bumps(strategy.recommend()) == max(bumps(Architecture(space.name, decisions)) for decisions in climbs[-1])


def test_a_step_of_which_nothing_is_told_is_made_up_for() -> None:
    strategy = climber()
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    lost, again = strategy.ask(8), strategy.ask(8)
    assert len(again) == 8
    assert {proposal.parent for proposal in again} == {START}
    assert not {proposal.architecture for proposal in lost[:-1]} & {proposal.architecture for proposal in again}
    # and what is told late takes part
    strategy.tell([told(lost[0], 0.9)])
    assert strategy.ask(1)[0].parent == lost[0].architecture


def test_where_the_first_network_fails_a_sample_starts() -> None:
    strategy = climber()
    strategy.tell([Evaluation(strategy.ask(1)[0], failure="out of memory")])
    (second,) = strategy.ask(5)
    assert second.parent is None
    assert second.architecture != START
    strategy.tell([told(second, 0.1)])
    assert strategy.ask(1)[0].parent == second.architecture


def test_what_exceeds_a_limit_does_not_go_on() -> None:
    strategy = build(SPACE, [ACCURACY, Objective("size", "minimize", limit=10.0)], Streams(0))
    (first,) = strategy.ask(1)
    strategy.tell([Evaluation(first, {"accuracy": 0.1, "size": 5.0})])
    step = strategy.ask(8)
    strategy.tell([Evaluation(child, {"accuracy": 0.9, "size": 11.0}) for child in step[:6]])
    strategy.tell([Evaluation(step[6], {"accuracy": 0.2, "size": 10.0})])
    assert strategy.ask(1)[0].parent == step[6].architecture
    assert strategy.recommend() == step[6].architecture


def test_others_networks_are_climbed_from_too() -> None:
    strategy = climber()
    strategy.tell([told(strategy.ask(1)[0], 0.5)])
    strategy.ask(8)
    stranger = member(1, 2, 3, 4, 5, 6)
    strategy.tell([told(Proposal(stranger), 0.9)])
    assert {proposal.parent for proposal in strategy.ask(8)} == {stranger}
