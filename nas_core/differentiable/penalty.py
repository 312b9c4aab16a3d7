"""The penalty contract: what the architecture parameters minimize besides the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates

Penalty = Callable[["torch.Tensor", "Sequence[torch.Tensor]", "Gates"], "torch.Tensor"]
"""From (loss, parameters, gates) to the scalar that the parameters minimize.

It takes the loss so that a cost may be added to it (ProxylessNAS) or multiplied with it (FBNet).
"""


def no_penalty(loss: torch.Tensor, parameters: Sequence[torch.Tensor], gates: Gates) -> torch.Tensor:
    """Return the loss alone."""
    return loss
