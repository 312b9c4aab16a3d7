"""Hyperband: fidelities of the brackets, and who is recommended."""

from __future__ import annotations

import pytest
from grid_space import GridSpace, member

from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.hyperband import build

SPACE = GridSpace((3,) * 6)
OBJECTIVES = (Objective("accuracy", "maximize"),)


def scored(proposal: Proposal, accuracy: float) -> Evaluation:
    return Evaluation(proposal, {"accuracy": accuracy})


def value(proposal: Proposal) -> float:
    """Share of twos, less what is lost by a short training."""
    assert proposal.fidelity is not None
    return sum(made == 2 for made in proposal.architecture.decisions) / 6 - 0.3 / proposal.fidelity.epochs


@pytest.mark.parametrize("round_size", [1, 3])
def test_brackets_of_9_3_1_and_3_1_and_3_at_1_4_and_12_epochs(round_size: int) -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0))
    played: list[Proposal] = []
    while len(played) < 40:
        proposals = strategy.ask(min(round_size, 40 - len(played)))
        strategy.tell([scored(proposal, value(proposal)) for proposal in proposals])
        played += proposals
    lengths = [proposal.fidelity.epochs for proposal in played if proposal.fidelity]
    if round_size == 1:
        assert lengths == 2 * ([1] * 9 + [4] * 3 + [12] + [4] * 3 + [12] + [12] * 3)
    assert sorted(lengths)[:18] == [1] * 18
    starts = sorted(played[:9], key=value, reverse=True)
    promoted = [proposal.architecture for proposal in played[9:12]]
    assert [proposal.architecture for proposal in starts[:3]] == promoted
    assert (
        strategy.recommend() == max((each for each in played if each.fidelity == Fidelity(12)), key=value).architecture
    )


def test_a_round_larger_than_a_rung_begins_the_next_bracket() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0))
    lengths = [proposal.fidelity.epochs for proposal in strategy.ask(20) if proposal.fidelity]
    assert lengths == [1] * 9 + [4] * 3 + [12] * 3 + [1] * 5


def test_what_keeps_the_limits_goes_on() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=10.0))
    strategy = build(SPACE, objectives, Streams(0))
    proposals = strategy.ask(9)
    for place, proposal in enumerate(proposals):
        strategy.tell([Evaluation(proposal, {"accuracy": place / 10, "size": 9.0 if place < 2 else 11.0 + place})])
    promoted = [proposal.architecture for proposal in strategy.ask(3)]
    assert promoted == [proposals[place].architecture for place in (1, 0, 2)]


def test_strangers_may_be_recommended_and_are_never_promoted() -> None:
    strategy = build(SPACE, OBJECTIVES, Streams(0))
    strategy.tell([scored(Proposal(member(*(2,) * 6), Fidelity(1)), 0.99)])
    assert strategy.recommend() == member(*(2,) * 6)
    played = []
    for _ in range(20):
        (proposal,) = strategy.ask(1)
        played.append(proposal.architecture)
        strategy.tell([scored(proposal, 0.1)])
    assert member(*(2,) * 6) not in played


def test_lengths_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="min_epochs is 13, above max_epochs 12"):
        build(SPACE, OBJECTIVES, Streams(0), min_epochs=13)
