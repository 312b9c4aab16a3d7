"""Number format, memory layout and kernels of a network's forward pass, by device."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_core.task import Inputs


def forward(network: nn.Module, inputs: Inputs, device: torch.device) -> Tensor:
    """Return the network's outputs in float32: computed in float32 on the CPU, in bfloat16 autocast on CUDA.

    Images are laid out channels last, which convolutions are faster with; the weights stay as they are. Inputs that are
    no tensor, such as graphs, are computed in float32 everywhere: their sums over many neighbors lose too much in
    bfloat16, and moving features about gains little from it.

    Args:
        network: on the device.
        inputs: a minibatch.
        device: where both are.
    """
    is_tensor = isinstance(inputs, Tensor)
    if is_tensor and inputs.ndim == 4:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=is_tensor and device.type == "cuda"):
        outputs: Tensor = network(inputs)
    return outputs.float()


def choose_reproducible_kernels(device: torch.device) -> None:
    """Let this process compute convolutions on CUDA by algorithms that give the same sums each time.

    Nor is it measured which algorithm is the fastest, which depends on the load of the machine. Kernels outside cuDNN
    may still add up in another order from run to run. On the CPU nothing changes.

    Args:
        device: that the process works on.
    """
    if device.type == "cuda":
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
