"""The time of a forward pass on one example, measured where the network is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "minimize"
UNIT = "ms"


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the median of 25 forward passes on the first example after 5 that warm up, in milliseconds."""
    from nas_core.training.measurement import latency_ms

    return latency_ms(network, inputs[:1])
