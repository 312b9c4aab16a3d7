"""Successive halving: published sizes, promotion, and what happens when results are late, missing or failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from nas_core.architecture import Architecture
from nas_core.successive_halving import Brackets, bracket_sizes


def made(number: int) -> Architecture:
    return Architecture("toy", (number,))


def counter(last: int = 10_000) -> Callable[[], Architecture | None]:
    numbers: Iterator[int] = iter(range(last))

    def start() -> Architecture | None:
        number = next(numbers, None)
        return None if number is None else made(number)

    return start


def take(brackets: Brackets, start: Callable[[], Architecture | None], count: int) -> list[tuple[int, int]]:
    """Return what is asked for as (number of the architecture, rung)."""
    found = []
    for _ in range(count):
        following = brackets.next(start)
        assert following is not None
        found.append((following[0].decisions[0], following[1]))
    return found


def test_sizes_are_those_of_the_published_tables() -> None:
    # BOHB on NATS-Bench, and table 1 of Hyperband
    assert bracket_sizes(3, 3) == ((9, 3, 1), (3, 1), (3,))
    assert bracket_sizes(5, 3) == ((81, 27, 9, 3, 1), (27, 9, 3, 1), (9, 3, 1), (6, 2), (5,))
    assert bracket_sizes(1, 3) == ((1,),)


def test_one_after_the_other_the_brackets_are_played_whole_and_then_again() -> None:
    brackets, start = Brackets("toy", 3, 3), counter()
    rungs = []
    for _ in range(2 * 20):
        ((number, rung),) = take(brackets, start, 1)
        rungs.append(rung)
        brackets.tell(made(number), rung, (float(number),))
    once = [0] * 9 + [1] * 3 + [2] + [1] * 3 + [2] + [2] * 3
    assert rungs == once * 2


def test_the_best_third_goes_on_the_best_first() -> None:
    brackets, start = Brackets("toy", 3, 3), counter()
    take(brackets, start, 9)
    costs = [5.0, 2.0, 9.0, 1.0, 7.0, 3.0, 8.0, 6.0, 4.0]
    for number, cost in enumerate(costs):
        brackets.tell(made(number), 0, (0.0, cost))
    assert take(brackets, start, 3) == [(3, 1), (1, 1), (5, 1)]
    for number, cost in ((5, 0.1), (3, 0.3), (1, 0.2)):
        brackets.tell(made(number), 1, (0.0, cost))
    assert take(brackets, start, 1) == [(5, 2)]


def test_of_equals_those_told_first_go_on() -> None:
    brackets, start = Brackets("toy", 2, 2), counter()
    assert take(brackets, start, 2) == [(0, 0), (1, 0)]
    brackets.tell(made(1), 0, (0.5,))
    brackets.tell(made(0), 0, (0.5,))
    assert take(brackets, start, 1) == [(1, 1)]


def test_a_rung_that_waits_lets_the_next_bracket_begin() -> None:
    brackets, start = Brackets("toy", 3, 3), counter()
    asked = take(brackets, start, 12)
    assert [rung for _, rung in asked] == [0] * 9 + [1] * 3
    for number in range(8):
        brackets.tell(made(number), 0, (float(number),))
    assert take(brackets, start, 1) == [(12, 2)]
    brackets.tell(made(8), 0, (8.0,))
    assert take(brackets, start, 3) == [(0, 1), (1, 1), (2, 1)]


def test_failures_do_not_go_on_and_leave_smaller_rungs() -> None:
    brackets, start = Brackets("toy", 3, 3), counter()
    take(brackets, start, 9)
    for number in range(9):
        brackets.tell(made(number), 0, (float(number),) if number in (4, 6) else None)
    assert take(brackets, start, 2) == [(4, 1), (6, 1)]
    for number in (4, 6):
        brackets.tell(made(number), 1, None)
    # nothing is left of the first bracket: the second begins, one rung higher
    assert take(brackets, start, 1) == [(9, 1)]


def test_what_nobody_awaits_on_that_rung_changes_nothing() -> None:
    brackets, start = Brackets("toy", 3, 3), counter()
    take(brackets, start, 9)
    before = brackets.state_dict()
    brackets.tell(made(3), 2, (0.0,))
    brackets.tell(made(99), 0, (0.0,))
    assert brackets.state_dict() == before


def test_when_nothing_is_left_to_start_a_rung_is_as_large_as_it_is() -> None:
    brackets, start = Brackets("toy", 3, 3), counter(5)
    take(brackets, start, 5)
    assert brackets.next(start) is None
    for number in range(5):
        brackets.tell(made(number), 0, (float(number),))
    assert take(brackets, start, 3) == [(0, 1), (1, 1), (2, 1)]
    assert brackets.next(start) is None
    for number in range(3):
        brackets.tell(made(number), 1, (float(number),))
    assert take(brackets, start, 1) == [(0, 2)]
    brackets.tell(made(0), 2, (0.0,))
    assert brackets.next(start) is None
    assert brackets.state_dict() == {"num_begun": 1, "active": []}
