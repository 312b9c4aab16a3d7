"""Initialize a graph network from an explicit generator alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from nas_core.networks.initialization import fill_uniform

Network = TypeVar("Network", bound=nn.Module)

GLOROT_OWNERS = frozenset({"GCNConvolution", "GATConvolution", "GATv2Convolution", "ChebyshevConvolution"})
"""Convolutions whose linear maps torch-geometric initializes by Glorot and Bengio's rule."""

ZEROS = frozenset({"bias", "shift", "epsilon"})
ONES = frozenset({"scale", "mean_scale"})
UNIFORM = frozenset({"projection"})


def initialized(make: Callable[[], Network], generator: torch.Generator) -> Network:
    """Return the network that `make` makes, on the CPU, with torch-geometric's default initial distributions.

    Linear layers: weight and bias uniform in +-1/sqrt(fan_in), as torch has it, but in `GLOROT_OWNERS` uniform in
    +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010). LSTMs: uniform in +-1/sqrt(hidden). Normalization: scale 1,
    shift 0, no statistics yet. What a module holds of its own: matrices and stacks of them after Glorot and Bengio;
    vectors by their names, biases 0, scales 1, projections uniform in +-1/sqrt(channels). The modules take their draws
    from the generator in the order of ``network.modules()``; the global generator is not touched.

    Args:
        make: makes the network; its modules are created without storage, so that nothing is drawn twice.
        generator: a CPU generator, the only source of the initial weights.

    Raises:
        ValueError: the network has a parameter or a buffer that none of these rules knows.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    owners = [""]
    for name, module in network.named_modules():
        while owners[-1] and not name.startswith(owners[-1]):
            owners.pop()
        if type(module).__name__ in GLOROT_OWNERS:
            owners.append(f"{name}." if name else "")
        _fill(name, module, len(owners) > 1, generator)
    return network


def _fill(name: str, module: nn.Module, glorot: bool, generator: torch.Generator) -> None:
    match module:
        case nn.Linear() if glorot:
            _fill_glorot(module.weight, generator)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        case nn.Linear():
            fill_uniform(module, generator)
        case nn.LSTM() | nn.LSTMCell():
            for parameter in module.parameters(recurse=False):
                _fill_uniform(parameter, module.hidden_size, generator)
        case nn.BatchNorm1d() | nn.LayerNorm():
            module.reset_parameters()
        case _:
            for own_name, parameter in module.named_parameters(recurse=False):
                _fill_own(own_name, parameter, f"{name}.{own_name} ({type(module).__name__})", generator)
            for own_name, _ in module.named_buffers(recurse=False):
                raise ValueError(f"no initial value is known for the buffer {name}.{own_name}; add a rule for it")


def _fill_own(name: str, parameter: nn.Parameter, place: str, generator: torch.Generator) -> None:
    if name in ZEROS:
        nn.init.zeros_(parameter)
    elif name in ONES:
        nn.init.ones_(parameter)
    elif name in UNIFORM and parameter.ndim == 1:
        _fill_uniform(parameter, parameter.shape[0], generator)
    elif parameter.ndim > 1:
        _fill_glorot(parameter, generator)
    else:
        raise ValueError(f"no initial distribution is known for {place}; add a rule for it")


def _fill_glorot(parameter: Tensor, generator: torch.Generator) -> None:
    bound = math.sqrt(6.0 / (parameter.shape[-2] + parameter.shape[-1]))
    with torch.no_grad():
        parameter.uniform_(-bound, bound, generator=generator)


def _fill_uniform(parameter: Tensor, fan: int, generator: torch.Generator) -> None:
    bound = 1.0 / math.sqrt(fan)
    with torch.no_grad():
        parameter.uniform_(-bound, bound, generator=generator)
