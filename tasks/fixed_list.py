"""A list of architectures as a strategy, so that scoring it runs in the one loop, with its archive and its resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal


class FixedList:
    """Proposes the members of a list, each once, in order."""

    def __init__(self, architectures: Sequence[Architecture]) -> None:
        """Take the list."""
        self._architectures = tuple(architectures)
        self._num_asked = 0

    def ask(self, count: int) -> list[Proposal]:
        """Return the next members."""
        chosen = self._architectures[self._num_asked : self._num_asked + count]
        self._num_asked += len(chosen)
        return [Proposal(architecture) for architecture in chosen]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn nothing."""

    def recommend(self) -> Architecture:
        """Return the first of the list."""
        return self._architectures[0]

    def state_dict(self) -> dict[str, Any]:
        """Return how many were asked for."""
        return {"num_asked": self._num_asked}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._num_asked = state["num_asked"]
