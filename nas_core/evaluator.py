"""The evaluator contract: what turns proposals into scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

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


@runtime_checkable
class Foresees(Protocol):
    """An evaluator that must know the order of a round's proposals, even where other processes evaluate them."""

    def foresee(self, proposals: Sequence[Proposal]) -> None:
        """Take note of proposals, in their order, before any of them is evaluated; a second time changes nothing."""


@runtime_checkable
class HasQuality(Protocol):
    """An evaluator whose scores are predictions, and which knows how good these are."""

    def quality(self) -> Mapping[str, Mapping[str, float]]:
        """Return by objective the figures of `nas_core.calibration.PredictionQuality`."""
