"""Laws of sampling, mutation, crossover and neighbors in any space of choices, with conditions and rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas_core.architecture import Architecture, Choice, active
from nas_core.variation import crossover, mutate, neighbors, sample


@dataclass(frozen=True)
class AnySpace:
    """Any choices; a member's decisions must not sum to a certain number (modulo 7)."""

    choices: tuple[Choice, ...]
    forbidden_sum: int | None
    name: str = "any"

    def is_valid(self, architecture: Architecture) -> bool:
        return self.forbidden_sum is None or sum(architecture.decisions) % 7 != self.forbidden_sum

    def canonical(self, architecture: Architecture) -> Architecture:
        return architecture

    def decode(self, scores: Any) -> Any:
        raise NotImplementedError

    def network(self, architecture: Any, task: Any, init: Any) -> Any:
        raise NotImplementedError


@st.composite
def spaces(draw: st.DrawFn) -> AnySpace:
    """Draw a space whose first choice is always active and has options enough to avoid a forbidden sum."""
    sizes = [draw(st.integers(3, 4)), *draw(st.lists(st.integers(1, 4), max_size=5))]
    choices: list[Choice] = []
    for place, size in enumerate(sizes):
        condition = None
        if place and draw(st.booleans()):
            on = choices[draw(st.integers(0, place - 1))]
            condition = (on.name, draw(st.sampled_from(on.options)))
        choices.append(Choice(f"choice {place}", tuple(map(str, range(size))), active_if=condition))
    return AnySpace(tuple(choices), draw(st.none() | st.integers(0, 6)))


SEEDS = st.integers(0, 2**32 - 1)


def is_normal(space: AnySpace, architecture: Architecture) -> bool:
    flags = active(space.choices, architecture.decisions)
    return all(
        0 <= decision < len(choice.options) and (flag or decision == 0)
        for decision, choice, flag in zip(architecture.decisions, space.choices, flags, strict=True)
    )


@given(spaces(), SEEDS)
def test_samples_are_valid_and_inactive_decisions_are_zero(space: AnySpace, seed: int) -> None:
    generator = np.random.default_rng(seed)
    for _ in range(5):
        architecture = sample(space, generator)
        assert space.is_valid(architecture)
        assert is_normal(space, architecture)


@given(spaces(), SEEDS)
def test_a_mutation_differs_in_exactly_one_active_choice(space: AnySpace, seed: int) -> None:
    generator = np.random.default_rng(seed)
    parent = sample(space, generator)
    near = list(neighbors(space, parent))
    if not near:
        return
    child = mutate(space, parent, generator)
    assert child in near
    assert space.is_valid(child)
    assert is_normal(space, child)
    before, after = active(space.choices, parent.decisions), active(space.choices, child.decisions)
    differs = [a != b for a, b in zip(parent.decisions, child.decisions, strict=True)]
    assert sum(d and a and b for d, a, b in zip(differs, before, after, strict=True)) == 1


@given(spaces(), SEEDS)
def test_neighbors_are_all_the_valid_one_edit_changes(space: AnySpace, seed: int) -> None:
    architecture = sample(space, np.random.default_rng(seed))
    near = list(neighbors(space, architecture))
    assert architecture not in near
    assert len(near) == len(set(near))
    flags = active(space.choices, architecture.decisions)
    most = sum(len(choice.options) - 1 for choice, flag in zip(space.choices, flags, strict=True) if flag)
    assert len(near) <= most
    if space.forbidden_sum is None:
        assert len(near) == most


@given(spaces(), SEEDS)
def test_a_child_takes_each_active_decision_from_a_parent(space: AnySpace, seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = sample(space, generator), sample(space, generator)
    child = crossover(space, first, second, generator)
    assert space.is_valid(child)
    assert is_normal(space, child)
    flags = active(space.choices, child.decisions)
    made = zip(child.decisions, first.decisions, second.decisions, flags, strict=True)
    assert all(decision in (one, other) for decision, one, other, flag in made if flag)
    assert crossover(space, first, first, generator) == first


@given(st.text(min_size=1), st.lists(st.integers(0, 10**6), min_size=1))
def test_keys_lead_back_whatever_the_name(space: str, decisions: list[int]) -> None:
    architecture = Architecture(space, tuple(decisions))
    assert Architecture.from_key(architecture.key) == architecture
