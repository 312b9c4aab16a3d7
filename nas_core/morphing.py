"""Random network morphisms, written once for any space that has them, and what passes between their asking and telling.

A morphism's kind is what stands before the first colon of its name: ``widen`` of ``widen:stage0.block1:2``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nas_core.architecture import Architecture
from nas_core.evaluation import Proposal
from nas_core.space import HasMorphisms, SearchSpace


def start(space: SearchSpace) -> Architecture:
    """Return where a search by morphisms starts: the member that is decoded where no option is preferred.

    By the rule that a tie goes to the first option, it has the first options: in a space that morphisms lead through,
    these make a plain network with few and narrow layers.
    """
    return space.decode([[0.0] * len(choice.options) for choice in space.choices])


def random_morphism(names: Sequence[str], generator: np.random.Generator) -> str:
    """Return one of some changes: of a uniformly drawn kind, a uniformly drawn one.

    So a kind that applies in more places, or in more ways, is not drawn more often. To be that of Elsken, Metzen &
    Hutter 2017 (arXiv:1711.04528), the text of which this could not be checked against.

    Args:
        names: at least one.
        generator: draws twice.
    """
    kinds: dict[str, list[str]] = {}
    for name in names:
        kinds.setdefault(name.partition(":")[0], []).append(name)
    first, second = generator.random(2).tolist()
    those = list(kinds.values())[int(first * len(kinds))]
    return those[int(second * len(those))]


def grown(space: HasMorphisms, parent: Architecture, num_morphisms: int, generator: np.random.Generator) -> Proposal:
    """Return what random function-preserving morphisms in sequence make of a parent: fewer where none applies."""
    architecture, names = parent, []
    for _ in range(num_morphisms):
        possible = space.morphisms(architecture)
        if not possible:
            break
        names.append(random_morphism(possible, generator))
        architecture = space.morphed(architecture, names[-1])
    return Proposal(architecture, parent=parent, morphisms=tuple(names))


def changed(space: HasMorphisms, parent: Architecture, generator: np.random.Generator) -> Proposal:
    """Return what one random change makes of a parent, be it function-preserving or approximate.

    Where none applies, it is the parent.
    """
    possible = [*space.morphisms(parent), *space.approximate_morphisms(parent)]
    if not possible:
        return Proposal(parent, parent=parent)
    name = random_morphism(possible, generator)
    return Proposal(space.morphed(parent, name), parent=parent, morphisms=(name,))


def written(proposals: Sequence[Proposal]) -> list[list[Any]]:
    """Return proposals without fidelities, of one space, as lists fit for a `state_dict`."""
    return [
        [
            list(proposal.architecture.decisions),
            None if proposal.parent is None else list(proposal.parent.decisions),
            list(proposal.morphisms),
        ]
        for proposal in proposals
    ]


def read(space: str, state: Sequence[Sequence[Any]]) -> list[Proposal]:
    """Return the proposals of the named space that `written` gave."""
    return [
        Proposal(
            Architecture(space, tuple(decisions)),
            parent=None if parent is None else Architecture(space, tuple(parent)),
            morphisms=tuple(names),
        )
        for decisions, parent, names in state
    ]
