"""How strongly a Gaussian network answers a small change of its input (Lin et al. 2021, Zen-NAS, arXiv:2102.01063)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.autograd.graph import Node

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""

NUM_REPEATS = 32
"""Draws of weights, images and noise."""

BATCH_SIZE = 16
"""Images a draw."""

NOISE = 0.01
"""Standard deviation of the change of an image."""

MOMENTUM = 0.1
"""Share of a minibatch in the running variance of a batch normalization."""

DEAD_SCORE = -1e6
"""Score where no answer reaches the feature map: below every other one, each layer of which adds -3.5 or more."""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return ``log E||f(x) - f(x + 0.01 e)||_1`` plus, for each batch normalization, ``log sqrt(mean variance)``.

    f is the last feature map before global pooling: of the modules without children, poolings left out, the last output
    with space. x and e are 16 standard normal images each; weights are standard normal, biases 0, scales of
    normalizations 1. The score is the mean over 32 such draws, from a generator with a fixed seed of its own: every
    network meets the same ones. A layer's variance is its running one (momentum 0.1, from 1), averaged over channels;
    both forward passes of every draw go into it, in training mode, so that the score depends on the number of draws.

    Follows the authors' code. Differs from the paper, which has the 2-norm, no residual connections, and the variance
    of the minibatch. Differs from both: a batch normalization in a dead branch, from which nothing comes to f, is left
    out; dropout is off; and where f answers nothing at all, the score is `DEAD_SCORE`, which ranks last. Of the inputs
    only the shape is used; targets and loss are not used.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch of images (batch, channels, height, width).

    Raises:
        ValueError: the inputs are no images, no module gives a feature map, or f is beyond the number format.
    """
    import torch

    from nas_core.training.redrawing import normal, redraw
    from nas_core.training.scoring_mode import scoring_mode
    from nas_core.training.weights import finite

    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 4:
        raise ValueError(
            f"zen draws Gaussian images, and inputs of type {type(inputs).__name__} are no images (batch, channels, "
            "height, width); use a score that takes inputs as they are, such as synflow"
        )
    drawn = copy.deepcopy(network)
    maps = _keep_feature_map(drawn)
    normalizations = _on_the_way(drawn, inputs, maps)
    _track_variance(drawn)
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH_SIZE, *inputs.shape[1:])
    total = 0.0
    with scoring_mode(drawn), torch.no_grad():
        for _ in range(NUM_REPEATS):
            redraw(drawn, lambda weight: 1.0, generator)
            images = normal(shape, generator).to(inputs)
            changed = images + NOISE * normal(shape, generator).to(inputs)
            drawn(images)
            answer = maps[-1]
            drawn(changed)
            answer = answer - maps[-1]
            difference = finite(float(answer.flatten(1).double().abs().sum(1).mean()))
            if difference == 0.0:
                return DEAD_SCORE
            total += math.log(difference)
            for module in normalizations:
                assert module.running_var is not None
                total += math.log(finite(float(module.running_var.double().mean()))) / 2
    return total / NUM_REPEATS


def _keep_feature_map(network: nn.Module) -> list[torch.Tensor]:
    """Return a list that will hold the last feature map of the last forward pass of a network, which is changed."""
    import torch
    from torch import nn

    poolings = (
        nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d | nn.AvgPool2d | nn.MaxPool2d | nn.LPPool2d | nn.FractionalMaxPool2d
    )
    kept: list[torch.Tensor] = []

    def keep(_: nn.Module, __: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> None:
        if isinstance(outputs, torch.Tensor) and outputs.ndim == 4:
            kept[:] = [outputs]

    for module in network.modules():
        if next(module.children(), None) is None and not isinstance(module, poolings):
            module.register_forward_hook(keep)
    return kept


def _on_the_way(network: nn.Module, inputs: torch.Tensor, maps: list[torch.Tensor]) -> list[nn.BatchNorm2d]:
    """Return the batch normalizations from which something comes to the last feature map.

    Args:
        network: keeps this map in the list.
        inputs: any images.
        maps: the list.

    Raises:
        ValueError: no module gives a feature map.
    """
    import torch
    from torch import nn

    from nas_core.training.backward_graph import nothing_saved, reached
    from nas_core.training.inputs import with_gradient
    from nas_core.training.scoring_mode import scoring_mode

    ends: list[tuple[nn.BatchNorm2d, Node | None]] = []

    def note(module: nn.Module, _: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> None:
        if isinstance(module, nn.BatchNorm2d):
            ends.append((module, outputs.grad_fn))

    handles = [module.register_forward_hook(note) for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    with scoring_mode(network), torch.enable_grad(), nothing_saved():
        network(with_gradient(inputs))
    for handle in handles:
        handle.remove()
    if not maps:
        raise ValueError(
            "zen needs a feature map (batch, channels, height, width), and no module of the network gives one; use "
            "another score, such as synflow"
        )
    nodes = reached(maps[-1])
    return list(dict.fromkeys(module for module, node in ends if node in nodes))


def _track_variance(network: nn.Module) -> None:
    """Let every batch normalization of a network, which is changed, follow its variance from 1 on."""
    import torch
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            device = next((tensor.device for tensor in (*module.parameters(), *module.buffers())), None)
            module.momentum = MOMENTUM
            module.track_running_stats = True
            module.running_mean = torch.zeros(module.num_features, device=device)
            module.running_var = torch.ones(module.num_features, device=device)
            module.num_batches_tracked = torch.zeros((), dtype=torch.int64, device=device)
