"""The decoding contract: from scores to the architecture that is proposed and recommended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nas_core.architecture import Architecture
from nas_core.space import SearchSpace

Decoding = Callable[[SearchSpace, Sequence[Sequence[float]]], Architecture]
"""From a space and a score for every option of every choice to a valid architecture."""


def by_space(space: SearchSpace, scores: Sequence[Sequence[float]]) -> Architecture:
    """Return what the space makes of the scores."""
    return space.decode(scores)


@dataclass(frozen=True, slots=True)
class Without:
    """Decodes as if an option scored less than all others of its choice; choices that lack it are left alone.

    Attributes:
        option: its name, such as "none".
    """

    option: str

    def __call__(self, space: SearchSpace, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return what the space makes of the changed scores."""
        changed = []
        for choice, row in zip(space.choices, scores, strict=True):
            lowest = min(row) - 1.0
            changed.append(
                [lowest if name == self.option else score for name, score in zip(choice.options, row, strict=True)]
            )
        return space.decode(changed)
