"""The second-order gradient, through one unrolled step of the weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nas_core.differentiable.gradient import Relax, by_parameters
from nas_core.differentiable.penalty import Penalty

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.learns import SharedWeights


@dataclass(frozen=True, slots=True)
class Unrolled:
    """Differentiates the validation loss after one step of the weights by the parameters.

    With w' = w - xi (momentum * buffer + dL_tr(w)/dw + weight_decay * w):

        gradient = dL_val(w')/dalpha - xi [dL_tr(w+)/dalpha - dL_tr(w-)/dalpha] / (2 eps),
        w+- = w +- eps dL_val(w')/dw',   eps = radius / |dL_val(w')/dw'|

    Liu et al. 2019 (DARTS), arXiv:1806.09055, equations 7 and 8. Follows the paper: both training losses are on the
    minibatch of the unrolled step, and around the present w. The penalty counts in L_val, and not in L_tr.

    Attributes:
        step_size: xi, above 0; None takes the present learning rate of the weights, as the paper does.
        radius: length of the finite difference in weight space, above 0.
    """

    step_size: float | None = None
    radius: float = 0.01

    def __call__(
        self, weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax, penalty: Penalty
    ) -> list[torch.Tensor]:
        """Return one gradient a parameter."""
        direction, learning_rate = weights.unrolled_direction(weights.training_loss(relax(parameters).detach()))
        step_size = learning_rate if self.step_size is None else self.step_size
        with weights.shifted(direction, -step_size):
            gates = relax(parameters)
            loss = penalty(weights.validation_loss(gates), parameters, gates)
            direct = by_parameters(loss, parameters, retain_graph=True)
            by_weights = weights.gradient(loss)
        norm = math.sqrt(sum(float(part.double().square().sum()) for part in by_weights))
        if not 0 < norm < math.inf:
            return direct
        epsilon = self.radius / norm
        ends = []
        for sign in (1.0, -1.0):
            with weights.shifted(by_weights, sign * epsilon):
                ends.append(by_parameters(weights.training_loss(relax(parameters)), parameters))
        scale = step_size / (2.0 * epsilon)
        return [part - scale * (plus - minus) for part, plus, minus in zip(direct, *ends, strict=True)]
