"""The gradient contract: how the architecture parameters' gradient is estimated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from nas_core.differentiable.penalty import Penalty

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates
    from nas_core.weight_sharing.learns import SharedWeights

Relax = Callable[["Sequence[torch.Tensor]"], "Gates"]
"""From parameters to gates, the noise and the temperature of a turn fixed."""


class Gradient(Protocol):
    """Estimates the gradient of the penalized loss by the parameters, and leaves the shared weights as they were."""

    def __call__(
        self, weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax, penalty: Penalty
    ) -> list[torch.Tensor]:
        """Return one gradient a parameter.

        Args:
            weights: the shared weights on one pair of minibatches.
            parameters: leaves that require a gradient.
            relax: from parameters to gates, the noise and the temperature of this turn fixed.
            penalty: makes of the loss what is to be minimized.
        """


def by_parameters(
    loss: torch.Tensor, parameters: Sequence[torch.Tensor], *, retain_graph: bool = False
) -> list[torch.Tensor]:
    """Return the gradient of a loss by each parameter, zeros where a parameter took no part."""
    import torch

    return list(torch.autograd.grad(loss, list(parameters), retain_graph=retain_graph, materialize_grads=True))
