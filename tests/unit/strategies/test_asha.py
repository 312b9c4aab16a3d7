"""ASHA: which proposal follows on what was told."""

from __future__ import annotations

import pytest
from grid_space import GridSpace, member

from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.strategies.asha import build
from nas_core.strategy import Strategy

SPACE = GridSpace((3,) * 6)
OBJECTIVES = (Objective("accuracy", "maximize"),)


def halving(max_epochs: int = 9) -> Strategy:
    return build(SPACE, OBJECTIVES, Streams(0), min_epochs=1, max_epochs=max_epochs, reduction_factor=3)


def one(strategy: Strategy) -> Proposal:
    (proposal,) = strategy.ask(1)
    return proposal


def scored(proposal: Proposal, accuracy: float) -> Evaluation:
    return Evaluation(proposal, {"accuracy": accuracy})


def epochs(proposal: Proposal) -> int:
    assert proposal.fidelity is not None
    return proposal.fidelity.epochs


def test_one_of_three_goes_on_as_soon_as_there_are_three() -> None:
    strategy = halving()
    played = []
    # each new one is worse than those before it
    for number in range(13):
        proposal = one(strategy)
        played.append(proposal)
        strategy.tell([scored(proposal, 1.0 - number / 100 if epochs(proposal) == 1 else 0.5 - number / 100)])
    assert [epochs(proposal) for proposal in played] == [1, 1, 1, 3, 1, 1, 1, 3, 1, 1, 1, 3, 9]
    starts = [proposal.architecture for proposal in played if epochs(proposal) == 1]
    assert [proposal.architecture for proposal in played if epochs(proposal) == 3] == starts[:3]
    assert played[-1].architecture == starts[0]
    assert strategy.recommend() == starts[0]


def test_the_best_goes_on_and_only_once() -> None:
    strategy = halving()
    proposals = strategy.ask(6)
    for proposal, accuracy in zip(proposals, (0.1, 0.5, 0.3, 0.9, 0.2, 0.4), strict=True):
        strategy.tell([scored(proposal, accuracy)])
    promoted = strategy.ask(3)
    assert promoted[:2] == [
        Proposal(proposals[3].architecture, Fidelity(3)),
        Proposal(proposals[1].architecture, Fidelity(3)),
    ]
    assert epochs(promoted[2]) == 1


def test_what_was_promoted_may_be_overtaken_and_then_too_many_are() -> None:
    # the price of not waiting: the first of three goes on although the next three are all better
    strategy = halving()
    first = strategy.ask(3)
    strategy.tell([scored(proposal, 0.1 + place / 100) for place, proposal in enumerate(first)])
    assert one(strategy).architecture == first[2].architecture
    second = strategy.ask(3)
    strategy.tell([scored(proposal, 0.5 + place / 100) for place, proposal in enumerate(second)])
    promoted = [proposal.architecture for proposal in strategy.ask(3) if epochs(proposal) == 3]
    assert promoted == [second[2].architecture, second[1].architecture]


def test_the_highest_rung_is_gone_through_first() -> None:
    strategy = halving()
    strategy.tell([Evaluation(Proposal(member(*(place,) * 6), Fidelity(3)), {"accuracy": 0.5}) for place in range(3)])
    strategy.tell(
        [Evaluation(Proposal(member(0, 1, 2, 0, 1, place), Fidelity(1)), {"accuracy": 0.9}) for place in range(3)]
    )
    assert [epochs(proposal) for proposal in strategy.ask(3)] == [9, 3, 1]


def test_a_failure_is_the_worst_of_its_rung_and_never_goes_on() -> None:
    strategy = halving()
    proposals = strategy.ask(3)
    strategy.tell([Evaluation(proposals[0], failure="diverged"), Evaluation(proposals[1], failure="diverged")])
    strategy.tell([scored(proposals[2], 0.1)])
    assert one(strategy) == Proposal(proposals[2].architecture, Fidelity(3))
    others = strategy.ask(3)
    strategy.tell([Evaluation(proposal, failure="diverged") for proposal in others])
    assert epochs(one(strategy)) == 1


def test_what_keeps_the_limits_goes_on() -> None:
    objectives = (*OBJECTIVES, Objective("size", "minimize", limit=10.0))
    strategy = build(SPACE, objectives, Streams(0), max_epochs=9)
    proposals = strategy.ask(3)
    for proposal, size in zip(proposals, (12.0, 9.0, 11.0), strict=True):
        strategy.tell([Evaluation(proposal, {"accuracy": size / 20, "size": size})])
    assert one(strategy) == Proposal(proposals[1].architecture, Fidelity(3))


def test_no_network_starts_twice_and_the_search_ends() -> None:
    strategy = build(GridSpace((3, 3)), OBJECTIVES, Streams(0), max_epochs=9)
    played = []
    while proposals := strategy.ask(1):
        played += proposals
        strategy.tell([scored(proposals[0], 0.5)])
    lengths = [epochs(proposal) for proposal in played]
    assert [lengths.count(length) for length in (1, 3, 9)] == [9, 3, 1]
    assert len(set(played)) == 13


def test_lengths_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="min_epochs is 13, above max_epochs 12"):
        build(SPACE, OBJECTIVES, Streams(0), min_epochs=13)
