"""Objectives of a search, and the one place where their direction is handled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nas_core.evaluation import Evaluation


@dataclass(frozen=True, slots=True)
class Objective:
    """A named score to maximize or minimize.

    Attributes:
        name: key of the score in `Evaluation.scores`.
        goal: "maximize" or "minimize".
        unit: for reports; empty if dimensionless.
        limit: the worst value that is still feasible (at most, when minimized; at least, when maximized); None if any.
    """

    name: str
    goal: Literal["maximize", "minimize"]
    unit: str = ""
    limit: float | None = None

    def __post_init__(self) -> None:
        if self.goal not in ("maximize", "minimize"):
            raise ValueError(f"goal of {self.name!r} is {self.goal!r}; allowed: maximize, minimize")
        if self.limit is not None and not math.isfinite(self.limit):
            raise ValueError(f"limit of {self.name!r} is {self.limit}; give a finite number, or none")

    @property
    def sign(self) -> float:
        """1 if lower is better, -1 if higher is better."""
        return 1.0 if self.goal == "minimize" else -1.0


def costs(evaluation: Evaluation, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return one cost an objective; lower is always better.

    Raises:
        ValueError: if the evaluation failed or lacks a score; a failure has no cost and is handled apart.
    """
    scores = evaluation.scores
    try:
        return tuple([objective.sign * scores[objective.name] for objective in objectives])
    except KeyError as error:
        reason = f"it failed ({evaluation.failure})" if evaluation.failure else f"it has only {sorted(scores)}"
        raise ValueError(f"{evaluation.proposal.architecture.key} has no score {error}: {reason}") from None


def excess(evaluation: Evaluation, objectives: Sequence[Objective]) -> float:
    """Return by how much the limits are exceeded, relative to each limit and summed; 0 if all are kept."""
    total = 0.0
    for objective in objectives:
        if objective.limit is not None:
            over = objective.sign * (evaluation.scores[objective.name] - objective.limit)
            total += max(0.0, over) / max(abs(objective.limit), 1e-12)
    return total


def rank_key(evaluation: Evaluation, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Return a sort key: feasible before infeasible, then by excess, then by the costs in order.

    For one objective this is the order of quality; for several it is lexicographic and serves only to break ties.
    """
    return (excess(evaluation, objectives), *costs(evaluation, objectives))
