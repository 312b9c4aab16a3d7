"""A space of independent choices that needs no networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nas_core.architecture import Architecture, Choice
from nas_core.evaluation import Evaluation, Proposal

NAME = "grid"


@dataclass(frozen=True)
class GridSpace:
    """`sizes` options for each choice; members in `forbidden` are not valid."""

    sizes: tuple[int, ...] = (3, 3, 3, 3)
    forbidden: frozenset[tuple[int, ...]] = frozenset()

    @property
    def name(self) -> str:
        return NAME

    @property
    def choices(self) -> tuple[Choice, ...]:
        return tuple(Choice(f"choice {place}", tuple(map(str, range(size)))) for place, size in enumerate(self.sizes))

    def is_valid(self, architecture: Architecture) -> bool:
        return architecture.decisions not in self.forbidden

    def canonical(self, architecture: Architecture) -> Architecture:
        return architecture

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        best = tuple(max(range(len(row)), key=row.__getitem__) for row in scores)
        return member(*(0,) * len(best)) if best in self.forbidden else member(*best)

    def network(self, architecture: Architecture, task: Any, init: Any) -> Any:
        raise NotImplementedError


def member(*decisions: int) -> Architecture:
    return Architecture(NAME, decisions)


def told(decisions: Sequence[int], accuracy: float) -> Evaluation:
    return Evaluation(Proposal(member(*decisions)), {"accuracy": accuracy})
