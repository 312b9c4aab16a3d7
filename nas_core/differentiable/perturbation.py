"""The perturbation contract: what happens to the gates before the weights are trained under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates
    from nas_core.weight_sharing.learns import SharedWeights

Perturbation = Callable[["Gates", "SharedWeights", "torch.Generator"], "Gates"]
"""From the gates, without gradient, to those of the weight step (SmoothDARTS); it must not step the weights."""


def unperturbed(gates: Gates, weights: SharedWeights, generator: torch.Generator) -> Gates:
    """Return the gates as they are."""
    return gates
