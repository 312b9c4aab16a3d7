"""The number of trainable parameters: the baseline that every other score has to beat."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "minimize"
UNIT = ""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the number of trainable parameters; inputs, targets and loss are not used."""
    from nas_core.training.measurement import num_parameters

    return float(num_parameters(network))
