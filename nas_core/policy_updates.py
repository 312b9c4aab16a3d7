"""How a batch of rewards moves a controller: the plain policy gradient, or PPO's clipped objective."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from nas_core.architecture import Architecture
from nas_core.controller import Array, Controller

PolicyUpdate = Callable[[Controller, Sequence[Architecture], Array, float], None]
"""Moves a controller by architectures drawn from it, the advantage of each, and the weight of the entropy."""


def policy_gradient(
    controller: Controller, architectures: Sequence[Architecture], advantages: Array, entropy_weight: float
) -> None:
    """Take one step up the mean of A log p (Williams 1992)."""
    controller.ascend(architectures, (advantages / len(advantages)).tolist(), entropy_weight)


def proximal(clip_range: float, num_steps: int) -> PolicyUpdate:
    """Return PPO's update (Schulman et al. 2017, arXiv:1707.06347).

    Each of the steps goes up the gradient of the mean of min(r A, clip(r, 1 - clip_range, 1 + clip_range) A), with
    r = p(a) / p_old(a) and p_old the policy before the first step. Where the clipped term is the smaller one the
    gradient is 0; elsewhere it is A r times that of log p.

    Args:
        clip_range: above 0.
        num_steps: on one batch, at least 1.
    """

    def update(
        controller: Controller, architectures: Sequence[Architecture], advantages: Array, entropy_weight: float
    ) -> None:
        old = controller.log_probabilities(architectures)
        for _ in range(num_steps):
            ratios = np.exp(controller.log_probabilities(architectures) - old)
            clipped = np.clip(ratios, 1 - clip_range, 1 + clip_range)
            weights = np.where(ratios * advantages <= clipped * advantages, ratios * advantages, 0.0)
            controller.ascend(architectures, (weights / len(weights)).tolist(), entropy_weight)

    return update
