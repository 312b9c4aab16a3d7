"""The softmax relaxation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.architecture import Choice
from nas_core.differentiable.relaxation import normal_alpha

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates


@dataclass(frozen=True, slots=True)
class Softmax:
    """Gates are ``softmax(alpha / temperature)`` of each choice, without noise.

    Liu et al. 2019 (DARTS), arXiv:1806.09055, equation 2. Follows the paper, whose temperature is 1.

    Attributes:
        initial_scale: standard deviation of the initial alpha, above 0 so that ties are broken.
    """

    initial_scale: float = 1e-3

    def initial(self, choices: Sequence[Choice], generator: torch.Generator) -> list[torch.Tensor]:
        """Return one alpha for each choice."""
        return normal_alpha(choices, self.initial_scale, generator)

    def noise(self, parameters: Sequence[torch.Tensor], generator: torch.Generator) -> list[torch.Tensor]:
        """Return no noise."""
        return []

    def gates(self, parameters: Sequence[torch.Tensor], noise: Sequence[torch.Tensor], temperature: float) -> Gates:
        """Return the gates, each choice's summing to 1."""
        from nas_core.weight_sharing.gates import Gates

        return Gates(tuple((alpha / temperature).softmax(0) for alpha in parameters))

    def scores(self, parameters: Sequence[torch.Tensor]) -> list[list[float]]:
        """Return the probabilities at temperature 1."""
        return [alpha.detach().double().softmax(0).tolist() for alpha in parameters]
