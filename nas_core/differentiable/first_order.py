"""The first-order gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nas_core.differentiable.gradient import Relax, by_parameters
from nas_core.differentiable.penalty import Penalty

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.learns import SharedWeights


def first_order(
    weights: SharedWeights, parameters: Sequence[torch.Tensor], relax: Relax, penalty: Penalty
) -> list[torch.Tensor]:
    """Return dL_val(w, alpha) / dalpha at the present weights, as if they were already the best for alpha.

    Liu et al. 2019 (DARTS), arXiv:1806.09055, xi = 0. Follows the paper.
    """
    gates = relax(parameters)
    return by_parameters(penalty(weights.validation_loss(gates), parameters, gates), parameters)
