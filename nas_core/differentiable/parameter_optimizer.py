"""Optimizers of the architecture parameters, described before there are parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

ParameterOptimizer = Callable[["Sequence[torch.Tensor]"], "torch.optim.Optimizer"]
"""From the parameters to their optimizer, whose state per parameter holds only numbers and tensors."""


@dataclass(frozen=True, slots=True)
class Adam:
    """Adam with weight decay added to the gradient. The defaults are those of DARTS (Liu et al. 2019).

    Attributes:
        learning_rate: above 0.
        betas: decay of the first and the second moment, each in [0, 1).
        weight_decay: at least 0.
    """

    learning_rate: float = 3e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 1e-3

    def __call__(self, parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
        """Return the optimizer of some parameters."""
        import torch

        return torch.optim.Adam(
            list(parameters), lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay
        )
