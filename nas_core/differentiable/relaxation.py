"""The relaxation contract: from parameters to gates, and from parameters to scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from nas_core.architecture import Choice

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates


class Relaxation(Protocol):
    """Turns architecture parameters into gates. It has no state; the strategy owns the parameters.

    The parameters are a flat list of tensors whose meaning only the relaxation knows: one alpha for each choice, and
    after those whatever else it needs, such as the strengths of edges.
    """

    def initial(self, choices: Sequence[Choice], generator: torch.Generator) -> list[torch.Tensor]:
        """Return the initial parameters, on the CPU."""

    def noise(self, parameters: Sequence[torch.Tensor], generator: torch.Generator) -> list[torch.Tensor]:
        """Return the noise of one turn; empty if the relaxation is deterministic."""

    def gates(self, parameters: Sequence[torch.Tensor], noise: Sequence[torch.Tensor], temperature: float) -> Gates:
        """Return the gates, differentiable in the parameters; the same ones for the same noise."""

    def scores(self, parameters: Sequence[torch.Tensor]) -> list[list[float]]:
        """Return for each choice a finite score an option, higher preferred, from which an architecture is decoded."""


def normal_alpha(choices: Sequence[Choice], scale: float, generator: torch.Generator) -> list[torch.Tensor]:
    """Return one alpha (num_options,) for each choice, normal with a standard deviation of `scale`."""
    import torch

    return [scale * torch.randn(len(choice.options), generator=generator) for choice in choices]
