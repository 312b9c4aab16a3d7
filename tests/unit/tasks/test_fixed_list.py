"""A list of architectures in the role of a strategy."""

from __future__ import annotations

from nas_core.architecture import Architecture
from nas_core.strategy import Strategy
from tasks.fixed_list import FixedList

MEMBERS = [Architecture("toy", (index,)) for index in range(5)]


def asked(strategy: Strategy, count: int) -> list[Architecture]:
    return [proposal.architecture for proposal in strategy.ask(count)]


def test_each_member_is_proposed_once_in_order() -> None:
    strategy = FixedList(MEMBERS)
    assert asked(strategy, 2) == MEMBERS[:2]
    assert asked(strategy, 0) == []
    assert asked(strategy, 9) == MEMBERS[2:]
    assert asked(strategy, 1) == []
    assert strategy.recommend() == MEMBERS[0]


def test_it_goes_on_where_its_state_was_taken() -> None:
    first = FixedList(MEMBERS)
    first.ask(3)
    second = FixedList(MEMBERS)
    second.load_state_dict(first.state_dict())
    assert asked(second, 9) == asked(first, 9) == MEMBERS[3:]
