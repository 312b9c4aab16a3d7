"""BOHB: kernels, bandwidths, what is good, and what the model makes of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from grid_space import GridSpace, member

from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies import hyperband
from nas_core.strategies.bohb import bandwidths, build, density, good_and_bad
from nas_core.strategy import Strategy

SPACE = GridSpace((3,) * 4)
OBJECTIVES = (Objective("accuracy", "maximize"),)
NARROW = {"bandwidth_factor": 1.0, "min_bandwidth": 0.01}


def scored(proposal: Proposal, accuracy: float) -> Evaluation:
    return Evaluation(proposal, {"accuracy": accuracy})


def test_a_density_by_hand() -> None:
    # two points, two choices of 3 and 2 options, h = (.3, .4): same 1 - h, else .3 / 2 and .4 / 1
    points = np.array([[0, 1], [2, 0]])
    widths = np.array([0.3, 0.4])
    assert density(points, widths, (3, 2), (0, 1)) == pytest.approx((0.7 * 0.6 + 0.15 * 0.4) / 2)
    assert density(points, widths, (3, 2), (1, 0)) == pytest.approx((0.15 * 0.4 + 0.15 * 0.6) / 2)
    total = sum(density(points, widths, (3, 2), at) for at in itertools.product(range(3), range(2)))
    assert total == pytest.approx(1.0)


def test_bandwidths_by_hand() -> None:
    # standard deviations 1, 0 and .5 of four points; 1.06 * 4^(-1/7) = .8696
    points = np.array([[0, 1, 0], [2, 1, 0], [0, 1, 1], [2, 1, 1]])
    assert bandwidths(points, (9, 5, 9), 0.1) == pytest.approx([1.06 * 4 ** (-1 / 7), 0.1, 0.53 * 4 ** (-1 / 7)])
    # never beyond where the kernel is uniform: 2/3 of three options, nothing of one
    assert bandwidths(points, (3, 1, 2), 0.1) == pytest.approx([2 / 3, 0.0, 0.53 * 4 ** (-1 / 7)])


@pytest.mark.parametrize(
    ("num_points", "numbers"),
    [(6, None), (7, (5, 5)), (10, (5, 5)), (20, (5, 15)), (100, (15, 85))],
)
def test_how_many_are_good_and_bad_of_four_choices(num_points: int, numbers: tuple[int, int] | None) -> None:
    assert good_and_bad(num_points, 4, 0.15) == numbers


def informed(num_samples: int, **settings: float) -> Strategy:
    """Return BOHB that was told on the lowest rung: good where the first choice is 2, bad where it is 0."""
    strategy = build(SPACE, OBJECTIVES, Streams(0), num_samples=num_samples, **settings)
    rest = list(itertools.product(range(3), repeat=3))
    for first, accuracy in ((2, 0.9), (0, 0.1)):
        strategy.tell([scored(Proposal(member(first, *made), Fidelity(1)), accuracy) for made in rest[::2]])
    return strategy


def share_of_good(strategy: Strategy) -> float:
    """Return the share with a 2 first of many first proposals, of which none is told."""
    state = strategy.state_dict()
    firsts = []
    for seed in range(300):
        other = build(SPACE, OBJECTIVES, Streams(seed))
        generator = other.state_dict()["starts"]["generator"]
        strategy.load_state_dict({**state, "starts": {**state["starts"], "generator": generator}})
        (proposal,) = strategy.ask(1)
        firsts.append(proposal.architecture.decisions[0])
    return firsts.count(2) / len(firsts)


def test_what_starts_is_like_the_good() -> None:
    # 81 networks, 28 known; of the unknown 13 have a 2 first, 13 a 0 and 27 a 1
    assert share_of_good(informed(16, **NARROW)) > 0.9
    assert share_of_good(informed(16)) > 0.45
    # with uniform draws and no choice among them, a sample: 13 of 53
    assert share_of_good(informed(1, bandwidth_factor=1000.0)) == pytest.approx(13 / 53, abs=0.08)
    assert share_of_good(informed(16, random_fraction=1.0)) == pytest.approx(13 / 53, abs=0.08)


def test_the_highest_rung_with_enough_decides() -> None:
    strategy = informed(16, **NARROW)
    rest = list(itertools.product(range(3), repeat=3))
    # the other way round on the next rung
    for first, accuracy in ((2, 0.1), (0, 0.9)):
        strategy.tell([scored(Proposal(member(first, *made), Fidelity(4)), accuracy) for made in rest[::2]])
    assert share_of_good(strategy) < 0.1


def test_failures_are_bad() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0), num_samples=16, **NARROW)
    rest = list(itertools.product(range(3), repeat=3))
    strategy.tell([scored(Proposal(member(2, *made), Fidelity(1)), 0.1) for made in rest[::2]])
    strategy.tell([Evaluation(Proposal(member(0, *made), Fidelity(1)), failure="diverged") for made in rest[::2]])
    assert share_of_good(strategy) > 0.9


def test_brackets_are_those_of_hyperband() -> None:
    ours, theirs = build(SPACE, OBJECTIVES, Streams(0)), hyperband.build(SPACE, OBJECTIVES, Streams(0))
    lengths = []
    for _ in range(20):
        for strategy in (ours, theirs):
            (proposal,) = strategy.ask(1)
            assert proposal.fidelity is not None
            lengths.append(proposal.fidelity.epochs)
            strategy.tell([scored(proposal, sum(proposal.architecture.decisions) / 8)])
    assert lengths[::2] == lengths[1::2] == [1] * 9 + [4] * 3 + [12] + [4] * 3 + [12] + [12] * 3


def test_it_finds_better_networks_than_hyperband() -> None:
    space = GridSpace((4,) * 8)

    def best(strategy: Strategy) -> float:
        for _ in range(150):
            (proposal,) = strategy.ask(1)
            share = sum(made == 3 for made in proposal.architecture.decisions) / 8
            strategy.tell([scored(proposal, share)])
        return sum(made == 3 for made in strategy.recommend().decisions) / 8

    modeled = [best(build(space, OBJECTIVES, Streams(seed), num_samples=32)) for seed in range(10)]
    drawn = [best(hyperband.build(space, OBJECTIVES, Streams(seed))) for seed in range(10)]
    assert sum(modeled) / 10 > sum(drawn) / 10 + 0.1
