"""Draw the weights of a network anew, for scores that bring an initialization of their own."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nas_core.training.weights import weights

NORMALIZATIONS = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d | nn.GroupNorm | nn.LayerNorm


def redraw(network: nn.Module, standard_deviation: Callable[[Tensor], float], generator: torch.Generator) -> None:
    """Draw all weights from a normal distribution around 0, in the order of ``network.parameters()``.

    Biases become 0, scales of normalizations 1; any other parameter, and every statistic, stays.

    Args:
        network: is changed.
        standard_deviation: of a weight's elements, from the weight.
        generator: a CPU generator.
    """
    with torch.no_grad():
        for weight in weights(network):
            weight.copy_(normal(weight.shape, generator) * standard_deviation(weight))
        for name, parameter in network.named_parameters():
            if "bias" in name.rpartition(".")[2]:
                parameter.zero_()
        for module in network.modules():
            if isinstance(module, NORMALIZATIONS) and module.weight is not None:
                module.weight.fill_(1.0)


def kaiming(fan: int) -> float:
    """Return ``sqrt(2 / fan)``, for weights that a ReLU follows (He et al. 2015, arXiv:1502.01852)."""
    return math.sqrt(2.0 / fan)


def normal(shape: torch.Size | tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Return numbers from the standard normal distribution, on the CPU, where every device draws the same."""
    return torch.randn(shape, generator=generator)
