"""Sampling, mutation, crossover and neighbors where the outcome can be counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from nas_core.architecture import Architecture, Choice
from nas_core.variation import crossover, mutate, neighbors, sample

DEPTH = Choice("depth", ("one", "two"))
FIRST = Choice("first", ("a", "b", "c"))
SECOND = Choice("second", ("a", "b"), active_if=("depth", "two"))
FIXED = Choice("fixed", ("only",))


@dataclass(frozen=True)
class SmallSpace:
    """Choices with a list of decisions that are not valid."""

    choices: tuple[Choice, ...] = (DEPTH, FIRST, SECOND, FIXED)
    forbidden: frozenset[tuple[int, ...]] = frozenset()
    nothing_is_valid: bool = False
    name: str = field(default="small")

    def is_valid(self, architecture: Architecture) -> bool:
        return not self.nothing_is_valid and architecture.decisions not in self.forbidden

    def canonical(self, architecture: Architecture) -> Architecture:
        return architecture

    def decode(self, scores: Any) -> Any:
        raise NotImplementedError

    def network(self, architecture: Any, task: Any, init: Any) -> Any:
        raise NotImplementedError


SPACE = SmallSpace()


def small(*decisions: int) -> Architecture:
    return Architecture("small", decisions)


def test_every_decision_is_uniform() -> None:
    generator = np.random.default_rng(0)
    counts = Counter(sample(SPACE, generator).decisions for _ in range(6000))
    # three members of depth one, each two draws of the inactive choice together; six of depth two
    assert len(counts) == 9
    for decisions, count in counts.items():
        assert count == pytest.approx(1000 if decisions[0] == 0 else 500, abs=120)


def test_invalid_samples_are_drawn_again() -> None:
    generator = np.random.default_rng(0)
    space = SmallSpace(forbidden=frozenset({(0, 0, 0, 0), (0, 1, 0, 0)}))
    shallow = {member for member in (sample(space, generator) for _ in range(300)) if member.decisions[0] == 0}
    assert shallow == {small(0, 2, 0, 0)}


def test_neighbors_come_in_order_and_activated_choices_take_their_first_option() -> None:
    assert list(neighbors(SPACE, small(0, 1, 0, 0))) == [small(1, 1, 0, 0), small(0, 0, 0, 0), small(0, 2, 0, 0)]
    assert list(neighbors(SPACE, small(1, 0, 1, 0))) == [
        small(0, 0, 0, 0),
        small(1, 1, 1, 0),
        small(1, 2, 1, 0),
        small(1, 0, 0, 0),
    ]


def test_invalid_neighbors_are_left_out() -> None:
    space = SmallSpace(forbidden=frozenset({(0, 0, 0, 0)}))
    assert list(neighbors(space, small(0, 1, 0, 0))) == [small(1, 1, 0, 0), small(0, 2, 0, 0)]


def test_mutation_takes_the_choice_and_then_the_option_uniformly() -> None:
    generator = np.random.default_rng(0)
    counts = Counter(mutate(SPACE, small(0, 1, 0, 0), generator) for _ in range(4000))
    # two active choices with more than one option, of which the second has two others
    assert counts[small(1, 1, 0, 0)] == pytest.approx(2000, abs=150)
    assert counts[small(0, 0, 0, 0)] == pytest.approx(1000, abs=130)
    assert counts[small(0, 2, 0, 0)] == pytest.approx(1000, abs=130)


def test_crossover_takes_every_decision_from_either_parent_equally() -> None:
    generator = np.random.default_rng(0)
    counts = Counter(crossover(SPACE, small(1, 0, 0, 0), small(1, 2, 1, 0), generator).decisions for _ in range(4000))
    assert set(counts) == {(1, 0, 0, 0), (1, 0, 1, 0), (1, 2, 0, 0), (1, 2, 1, 0)}
    assert all(count == pytest.approx(1000, abs=130) for count in counts.values())


def test_where_all_children_are_invalid_the_first_parent_is_the_child() -> None:
    space = SmallSpace(nothing_is_valid=True)
    assert crossover(space, small(1, 0, 0, 0), small(1, 2, 1, 0), np.random.default_rng(0)) == small(1, 0, 0, 0)


def test_a_space_without_valid_members_is_named() -> None:
    with pytest.raises(ValueError, match="no valid architecture of small in 1000 uniform samples"):
        sample(SmallSpace(nothing_is_valid=True), np.random.default_rng(0))


def test_a_member_that_cannot_be_mutated_is_named() -> None:
    with pytest.raises(ValueError, match="small:0-1-0-0 in 1000 tries"):
        mutate(SmallSpace(nothing_is_valid=True), small(0, 1, 0, 0), np.random.default_rng(0))
    with pytest.raises(ValueError, match="cannot be mutated: no active choice"):
        mutate(SmallSpace(choices=(FIXED,)), small(0), np.random.default_rng(0))
