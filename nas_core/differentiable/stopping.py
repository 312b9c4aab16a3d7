"""The stopping contract: when the architecture parameters have learnt enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from nas_core.differentiable.gradient import Relax

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.learns import SharedWeights


class Stopping(Protocol):
    """A rule that watches the search; what it remembers is in its state."""

    def observe(
        self, weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax
    ) -> list[torch.Tensor] | None:
        """Return the parameters to end with, perhaps earlier ones, or None to go on; called after every turn.

        Args:
            weights: the shared weights on the pair of minibatches of this turn.
            parameters: leaves that require a gradient; copy what is to be remembered.
            relax: from parameters to gates, the noise and the temperature of this turn fixed.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes, as numbers, strings, None, lists, dicts and tensors."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""


class NeverStops:
    """Goes on until the budget is used up."""

    def observe(
        self, weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax
    ) -> list[torch.Tensor] | None:
        """Return None."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on nothing."""
