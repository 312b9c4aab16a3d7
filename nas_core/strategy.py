"""The strategy contract: what proposes architectures and learns from their evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal


class Strategy(Protocol):
    """Proposes and learns; holds no data, no network, no loop, no logging and no budget.

    A strategy that takes part in training shared weights is also a `nas_core.weight_sharing.learns.Learns`.
    """

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` proposals: fewer, or none, when there is no more to say. May come before any `tell`."""

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Learn from evaluations, in any order, failures and proposals of others included."""

    def recommend(self) -> Architecture:
        """Return the architecture to retrain.

        Raises:
            ValueError: if nothing succeeded yet; the message says what to do.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes, as numbers, strings, None, lists, dicts and tensors."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""


@runtime_checkable
class HasFidelities(Protocol):
    """A strategy whose proposals say how thoroughly they are to be evaluated."""

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The fidelities of its proposals, the lowest first."""
