"""What passes between a strategy and an evaluator: proposals and their evaluations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nas_core.architecture import Architecture

NO_SCORES: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How thoroughly an architecture is evaluated.

    Attributes:
        epochs: training epochs, at least 1.
        data_fraction: share of the training set, in (0, 1].
        width: channel multiplier, above 0.
    """

    epochs: int
    data_fraction: float = 1.0
    width: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1 or not 0 < self.data_fraction <= 1 or not self.width > 0:
            raise ValueError(f"{self} is not a fidelity; epochs >= 1, 0 < data_fraction <= 1, width > 0")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An architecture to evaluate.

    Attributes:
        architecture: what to evaluate.
        fidelity: how thoroughly; None leaves it to the evaluator.
        parent: the architecture it was derived from, if an evaluator may inherit weights from it.
        morphisms: names of the network morphisms that lead from the parent to the architecture, in their order.
    """

    architecture: Architecture
    fidelity: Fidelity | None = None
    parent: Architecture | None = None
    morphisms: tuple[str, ...] = ()

    @property
    def query(self) -> tuple[Architecture, Fidelity | None]:
        """What is asked of an evaluator; a second proposal of the same is a repeated query."""
        return self.architecture, self.fidelity

    @property
    def thoroughness(self) -> float:
        """Epochs x data share x width; infinite without a fidelity, as that is all that the evaluator does by itself.

        Scores of unequal thoroughness are not ranked against each other; where one has to be chosen, the most thorough
        counts.
        """
        fidelity = self.fidelity
        return math.inf if fidelity is None else fidelity.epochs * fidelity.data_fraction * fidelity.width


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a proposal: scores, or the reason why there are none. Never NaN, never infinite.

    Attributes:
        proposal: what was evaluated.
        scores: finite values by objective name; empty if it failed.
        seconds: wall-clock time it took.
        failure: one line that says what went wrong; None if nothing did.
    """

    proposal: Proposal
    scores: Mapping[str, float] = field(default_factory=lambda: NO_SCORES)
    seconds: float = 0.0
    failure: str | None = None

    def __post_init__(self) -> None:
        if (self.failure is None) != bool(self.scores):
            raise ValueError(
                f"an evaluation has scores or a failure, not both or neither: {self.scores}, {self.failure!r}"
            )
        for name, value in self.scores.items():
            if not math.isfinite(value):
                raise ValueError(f"score {name!r} is {value}; record a failure instead of a value that is not finite")
