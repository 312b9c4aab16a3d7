"""The rungs of multi-fidelity search: training lengths that grow by a factor, and the best on the highest of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.incumbent import Incumbent
from nas_core.objectives import Objective


def geometric_rungs(min_epochs: int, max_epochs: int, reduction_factor: int) -> tuple[Fidelity, ...]:
    """Return the fidelities from the shortest to `max_epochs`, each `reduction_factor` times the one before.

    The longest is divided by the factor as long as the result is not below `min_epochs`; what is no whole number of
    epochs is rounded.

    Args:
        min_epochs: at least 1.
        max_epochs: at least `min_epochs`.
        reduction_factor: at least 2.

    Raises:
        ValueError: if the lengths are in the wrong order.
    """
    if min_epochs > max_epochs:
        raise ValueError(f"min_epochs is {min_epochs}, above max_epochs {max_epochs}; lower it or raise max_epochs")
    divisor, found = 1, []
    while max_epochs >= min_epochs * divisor:
        found.append(Fidelity(round(max_epochs / divisor)))
        divisor *= reduction_factor
    return tuple(reversed(found))


class RungIncumbent:
    """Keeps the best architecture of each rung, of which the highest rung's counts.

    Scores of different rungs are never compared. What exceeds a limit ranks behind all that keeps the limits, on
    whatever rung. A proposal without a fidelity was evaluated as thoroughly as the evaluator does by itself, which is
    taken for the highest rung.
    """

    def __init__(self, space: str, objectives: Sequence[Objective], rungs: Sequence[Fidelity]) -> None:
        """Start with nothing told.

        Args:
            space: name of the space whose architectures count.
            objectives: at least one.
            rungs: from the lowest to the highest; at least one.
        """
        self._rungs = tuple(rungs)
        self._incumbents = [Incumbent(space, objectives) for _ in self._rungs]
        # the excess over the limits of the best on each rung; None where nothing succeeded
        self._excesses: list[float | None] = [None] * len(self._rungs)

    def rung(self, proposal: Proposal) -> int | None:
        """Return the number of the rung on which a proposal is evaluated, from 0; None if on none of them."""
        if proposal.fidelity is None:
            return len(self._rungs) - 1
        return self._rungs.index(proposal.fidelity) if proposal.fidelity in self._rungs else None

    def consider(self, evaluation: Evaluation) -> tuple[float, ...] | None:
        """Take note of an evaluation and return its rank key, to be compared with those of its rung; lower is better.

        Returns:
            (excess over the limits, cost of the first objective, ...), or None for a failure, a member of another
            space, or a fidelity that is no rung.
        """
        rung = self.rung(evaluation.proposal)
        if rung is None:
            return None
        key = self._incumbents[rung].consider(
            replace(evaluation, proposal=Proposal(evaluation.proposal.architecture))  # within a rung all are alike
        )
        if key is not None:
            excess = self._excesses[rung]
            self._excesses[rung] = key[0] if excess is None else min(excess, key[0])
        return key

    def recommend(self) -> Architecture:
        """Return the best architecture of the highest rung on which one keeps the limits, else of the highest rung.

        Raises:
            ValueError: if nothing succeeded yet.
        """
        reached = [rung for rung, excess in enumerate(self._excesses) if excess is not None]
        within = [rung for rung in reached if self._excesses[rung] == 0]
        return self._incumbents[max(within or reached, default=0)].recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the best of each rung."""
        return {
            "incumbents": [incumbent.state_dict() for incumbent in self._incumbents],
            "excesses": list(self._excesses),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        for incumbent, written in zip(self._incumbents, state["incumbents"], strict=True):
            incumbent.load_state_dict(written)
        self._excesses = list(state["excesses"])
