"""The evaluator contract: what turns proposals into scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from nas_core.evaluation import Evaluation, Proposal
from nas_core.strategy import Strategy


class Evaluator(Protocol):
    """Scores proposals. A failing candidate is a failed evaluation, never an exception."""

    def prepare(self, strategy: Strategy) -> None:
        """Train shared weights for one round, with the strategy if it learns; else do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return one evaluation a proposal, in the same order.

        Scores depend on the proposal, the seed and the evaluator's state, not on the order or the company.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes, as numbers, strings, None, lists, dicts and tensors."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
