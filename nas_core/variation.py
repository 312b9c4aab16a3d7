"""Variation operators, written once for any space: sampling, mutation, crossover and neighbors."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TypeGuard

import numpy as np

from nas_core.architecture import Architecture, Choice, active
from nas_core.space import HasMembers, SearchSpace

MAX_TRIES = 1000


def sample(space: SearchSpace, generator: np.random.Generator) -> Architecture:
    """Return a valid architecture: every decision uniform, by rejection of invalid ones; of listed members, any.

    Raises:
        ValueError: if no valid architecture was found in 1,000 tries.
    """
    if _lists_members(space):
        members = space.members()
        return members[int(generator.random() * len(members))]
    choices = space.choices
    for _ in range(MAX_TRIES):
        draws = generator.random(len(choices)).tolist()
        decisions = [int(draw * len(choice.options)) for draw, choice in zip(draws, choices, strict=True)]
        architecture = _normalized(space, choices, decisions)
        if space.is_valid(architecture):
            return architecture
    raise ValueError(
        f"no valid architecture of {space.name} in {MAX_TRIES} uniform samples; its validity is too narrow"
    )


def mutate(space: SearchSpace, parent: Architecture, generator: np.random.Generator) -> Architecture:
    """Return a valid architecture that differs from the parent in one active choice.

    The choice is uniform among the active ones with more than one option, the option uniform among the others. A
    change that activates other choices gives those their first option. Where members are listed, it is uniform among
    the nearest, which may differ in more than one choice.

    Raises:
        ValueError: if the parent has no valid neighbor among 1,000 tries.
    """
    if _lists_members(space):
        nearest = space.nearest(parent)
        return nearest[int(generator.random() * len(nearest))]
    choices = space.choices
    matters = active(choices, parent.decisions)
    places = [place for place, choice in enumerate(choices) if matters[place] and len(choice.options) > 1]
    if not places:
        raise ValueError(f"{parent.key} cannot be mutated: no active choice of {space.name} has more than one option")
    for _ in range(MAX_TRIES):
        first, second = generator.random(2).tolist()
        place = places[int(first * len(places))]
        num_options = len(choices[place].options)
        decisions = list(parent.decisions)
        decisions[place] = (decisions[place] + 1 + int(second * (num_options - 1))) % num_options
        child = _normalized(space, choices, decisions)
        if space.is_valid(child):
            return child
    raise ValueError(f"no valid one-edit change of {parent.key} in {MAX_TRIES} tries; its validity is too narrow")


def crossover(
    space: SearchSpace, first: Architecture, second: Architecture, generator: np.random.Generator
) -> Architecture:
    """Return a valid child that takes each decision from either parent with equal probability (uniform crossover).

    Where 1,000 children are all invalid, the first parent is returned.
    """
    choices = space.choices
    for _ in range(MAX_TRIES):
        coins = generator.random(len(choices)).tolist()
        pairs = zip(first.decisions, second.decisions, coins, strict=True)
        child = _normalized(space, choices, [a if coin < 0.5 else b for a, b, coin in pairs])
        if space.is_valid(child):
            return child
    return first


def neighbors(space: SearchSpace, architecture: Architecture) -> Iterator[Architecture]:
    """Yield every valid architecture that differs in one active choice, in the order of choices and options.

    Where members are listed, these are the nearest.
    """
    if _lists_members(space):
        yield from space.nearest(architecture)
        return
    choices = space.choices
    matters = active(choices, architecture.decisions)
    for place, choice in enumerate(choices):
        if matters[place]:
            for option in range(len(choice.options)):
                if option != architecture.decisions[place]:
                    decisions = [*architecture.decisions[:place], option, *architecture.decisions[place + 1 :]]
                    neighbor = _normalized(space, choices, decisions)
                    if space.is_valid(neighbor):
                        yield neighbor


def _lists_members(space: SearchSpace) -> TypeGuard[HasMembers]:
    return _is_listed(type(space))


@functools.cache
def _is_listed(space_type: type[SearchSpace]) -> bool:
    """Return whether spaces of a type are `HasMembers`; kept, since asking takes as long as a whole sample."""
    return issubclass(space_type, HasMembers)


def _normalized(space: SearchSpace, choices: tuple[Choice, ...], decisions: list[int]) -> Architecture:
    flags = active(choices, decisions)
    if not all(flags):
        decisions = [decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True)]
    return Architecture(space.name, tuple(decisions))
