"""Choices, architectures, their keys, and which choices matter."""

from __future__ import annotations

import pytest

from nas_core.architecture import Architecture, Choice, active

CHOICES = (
    Choice("depth", ("one", "two", "three")),
    Choice("first", ("conv", "pool")),
    Choice("second", ("conv", "pool"), active_if=("depth", "two")),
    Choice("kernel", ("3", "5"), active_if=("second", "conv")),
)


def test_a_key_is_the_space_and_the_decisions() -> None:
    architecture = Architecture("nasbench201", (3, 1, 0, 4, 2, 12))
    assert architecture.key == "nasbench201:3-1-0-4-2-12"
    assert Architecture.from_key("nasbench201:3-1-0-4-2-12") == architecture


def test_the_last_colon_divides_a_key() -> None:
    assert Architecture.from_key("a:b:1-0") == Architecture("a:b", (1, 0))


@pytest.mark.parametrize("key", ["", "nasbench201", ":1-2", "x:", "x:1--2", "x:-1", "x:1-a", "x:1-²", "x: 1", "x:1.0"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not an architecture key; write space:decision"):
        Architecture.from_key(key)


def test_architectures_are_values_in_an_order() -> None:
    first, second = Architecture("a", (0, 1)), Architecture("a", (0, 2))
    assert first < second < Architecture("b", (0, 0))
    assert len({first, Architecture("a", (0, 1)), second}) == 2
    with pytest.raises(AttributeError):
        first.space = "b"


def test_a_choice_has_options_that_differ() -> None:
    with pytest.raises(ValueError, match="has no options"):
        Choice("empty", ())
    with pytest.raises(ValueError, match="names an option twice"):
        Choice("double", ("a", "b", "a"))


@pytest.mark.parametrize(
    ("decisions", "expected"),
    [
        ((0, 0, 0, 0), (True, True, False, False)),
        ((1, 0, 0, 0), (True, True, True, True)),
        ((1, 1, 1, 0), (True, True, True, False)),
        ((2, 1, 0, 1), (True, True, False, False)),
    ],
)
def test_conditions_are_followed_along_a_chain(decisions: tuple[int, ...], expected: tuple[bool, ...]) -> None:
    assert active(CHOICES, decisions) == expected


def test_without_conditions_all_matter() -> None:
    assert active(CHOICES[:2], (2, 1)) == (True, True)


def test_a_choice_may_hang_on_any_of_several_options() -> None:
    deep = (
        Choice("depth", ("one", "two", "three")),
        Choice("second", ("a", "b"), active_if=("depth", ("two", "three"))),
    )
    assert [active(deep, (depth, 0))[1] for depth in range(3)] == [False, True, True]
