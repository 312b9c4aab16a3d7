"""Initialize a network from an explicit generator alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from nas_core.networks.shortcut import Shortcut

Network = TypeVar("Network", bound=nn.Module)


def initialized(make: Callable[[], Network], generator: torch.Generator) -> Network:
    """Return the network that `make` makes, on the CPU, with torch's default initial distributions.

    Convolutions and linear layers: weights and biases uniform in +-1/sqrt(fan_in), which is what torch's own
    ``kaiming_uniform_(a=sqrt(5))`` comes to. Batch normalization: scale 1, shift 0, no statistics yet. Shortcuts:
    weights 1. The modules take their draws from the generator in the order of ``network.modules()``; the global
    generator is not touched.

    Args:
        make: makes the network; its modules are created without storage, so that nothing is drawn twice.
        generator: a CPU generator, the only source of the initial weights.

    Raises:
        ValueError: the network has a parameter that none of these rules knows.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fill_uniform(module, generator)
        elif isinstance(module, nn.BatchNorm2d | Shortcut):
            module.reset_parameters()
        elif next(module.parameters(recurse=False), None) is not None:
            raise ValueError(
                f"no initial distribution is known for {name} ({type(module).__name__}); add a rule for it"
            )
    return network


def fill_uniform(module: nn.Conv2d | nn.Linear, generator: torch.Generator) -> None:
    """Draw the weight and then the bias uniformly in +-1/sqrt(fan_in)."""
    bound = 1.0 / math.sqrt(module.weight[0].numel())
    with torch.no_grad():
        module.weight.uniform_(-bound, bound, generator=generator)
        if module.bias is not None:
            module.bias.uniform_(-bound, bound, generator=generator)
