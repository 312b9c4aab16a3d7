"""The energy of a forward pass on one example, where the device has a meter."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "minimize"
UNIT = "mJ"


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the mean energy of forward passes on the first example over a second, in millijoules.

    Read from RAPL (processors) or NVML (GPUs), never estimated; see `nas_core.training.energy`.

    Raises:
        ValueError: no meter is readable.
    """
    from nas_core.training.energy import energy_counter, energy_mj

    read = energy_counter(inputs.device)
    if read is None:
        raise ValueError(
            f"the energy of device {inputs.device} is not measured: neither RAPL nor NVML is readable; use flops or "
            "latency_ms"
        )
    return energy_mj(network, inputs[:1], read)
