"""The incumbent: the best architecture told so far, which a black-box strategy recommends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective, rank_key


class Incumbent:
    """Keeps the best architecture by `objectives.rank_key`; of equals, the one that was told first.

    With several objectives the first decides and the others break ties; what exceeds a limit ranks behind all that
    keeps the limits.
    """

    def __init__(self, space: str, objectives: Sequence[Objective]) -> None:
        """Start with nothing told.

        Args:
            space: name of the space whose architectures count.
            objectives: at least one.
        """
        self._space = space
        self._objectives = tuple(objectives)
        self._architecture: Architecture | None = None
        self._key: tuple[float, ...] = ()

    def consider(self, evaluation: Evaluation) -> tuple[float, ...] | None:
        """Take note of an evaluation and return its rank key, lower being better.

        Returns:
            (excess over the limits, cost of the first objective, ...), or None for what cannot be ranked with the
            rest: a failure, a member of another space, or an evaluation at a fidelity of somebody else's choice.
        """
        proposal = evaluation.proposal
        if (
            evaluation.failure is not None
            or proposal.fidelity is not None
            or proposal.architecture.space != self._space
        ):
            return None
        key = rank_key(evaluation, self._objectives)
        if self._architecture is None or key < self._key:
            self._architecture, self._key = proposal.architecture, key
        return key

    def recommend(self) -> Architecture:
        """Return the best architecture.

        Raises:
            ValueError: if nothing succeeded yet.
        """
        if self._architecture is None:
            raise ValueError(
                "there is nothing to recommend: no evaluation succeeded; "
                "evaluate more proposals, or see the failures for why they did not"
            )
        return self._architecture

    def state_dict(self) -> dict[str, Any]:
        """Return the best architecture's decisions (None if none) and its key."""
        decisions = None if self._architecture is None else list(self._architecture.decisions)
        return {"decisions": decisions, "key": list(self._key)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        decisions = state["decisions"]
        self._architecture = None if decisions is None else Architecture(self._space, tuple(decisions))
        self._key = tuple(state["key"])
