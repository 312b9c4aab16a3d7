"""A grid that morphisms lead through: up one step in one choice, or, nearly preserving, down one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas_core.architecture import Architecture, Choice

NAME = "stairs"


@dataclass(frozen=True)
class StairsSpace:
    """As many choices as `sizes`, of so many steps each; ``up:1`` raises choice 1, ``down:1`` lowers it."""

    sizes: tuple[int, ...] = (4, 4, 4)

    @property
    def name(self) -> str:
        return NAME

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"choice {place}", tuple(map(str, range(size)))) for place, size in enumerate(self.sizes))

    def is_valid(self, architecture: Architecture) -> bool:
        return architecture.space == NAME and len(architecture.decisions) == len(self.sizes)

    def canonical(self, architecture: Architecture) -> Architecture:
        return architecture

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        return member(*(max(range(len(row)), key=row.__getitem__) for row in scores))

    def network(self, architecture: Architecture, task: Any, init: Any) -> Any:
        raise NotImplementedError

    def morphisms(self, architecture: Architecture) -> list[str]:
        made = architecture.decisions
        return [f"up:{place}" for place, size in enumerate(self.sizes) if made[place] < size - 1]

    def approximate_morphisms(self, architecture: Architecture) -> list[str]:
        return [f"down:{place}" for place, decision in enumerate(architecture.decisions) if decision > 0]

    def morphed(self, architecture: Architecture, morphism: str) -> Architecture:
        if morphism not in [*self.morphisms(architecture), *self.approximate_morphisms(architecture)]:
            raise ValueError(f"{morphism} does not apply")
        kind, place = morphism.split(":")
        decisions = list(architecture.decisions)
        decisions[int(place)] += 1 if kind == "up" else -1
        return member(*decisions)

    def transfer(self, parent: Any, architecture: Any, morphism: str, task: Any, init: Any) -> Any:
        raise NotImplementedError


def member(*decisions: int) -> Architecture:
    return Architecture(NAME, decisions)
