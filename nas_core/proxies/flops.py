"""The arithmetic of a forward pass on one example: the other baseline."""

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
    """Return the floating-point operations (2 x multiply-accumulates) of a forward pass on the first example."""
    from nas_core.training.measurement import flops

    return float(flops(network, inputs[:1]))
