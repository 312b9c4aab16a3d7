"""Random search: uniform, with and without repeats."""

from __future__ import annotations

from collections import Counter

import pytest
from grid_space import GridSpace, member, told

from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.random_search import build

OBJECTIVES = (Objective("accuracy", "maximize"),)


def test_it_is_uniform() -> None:
    counts = Counter(
        proposal.architecture.decisions for proposal in build(GridSpace((2, 3)), OBJECTIVES, Streams(0)).ask(6000)
    )
    assert len(counts) == 6
    assert all(count == pytest.approx(1000, abs=150) for count in counts.values())


def test_without_repeats_each_network_comes_once_and_then_none() -> None:
    strategy = build(GridSpace((2, 3)), OBJECTIVES, Streams(0), allow_repeats=False)
    proposals = strategy.ask(4) + strategy.ask(4)
    assert len({proposal.architecture for proposal in proposals}) == len(proposals) == 6
    assert strategy.ask(1) == []


def test_without_repeats_what_others_or_failures_showed_is_left_out() -> None:
    strategy = build(GridSpace((2, 2)), OBJECTIVES, Streams(0), allow_repeats=False)
    strategy.tell([told((0, 0), 0.5), Evaluation(told((1, 1), 0.5).proposal, failure="diverged")])
    assert {proposal.architecture for proposal in strategy.ask(4)} == {member(0, 1), member(1, 0)}


def test_a_state_of_the_other_setting_is_refused() -> None:
    with_repeats = build(GridSpace(), OBJECTIVES, Streams(0))
    without = build(GridSpace(), OBJECTIVES, Streams(0), allow_repeats=False)
    with pytest.raises(ValueError, match="allow_repeats"):
        without.load_state_dict(with_repeats.state_dict())
