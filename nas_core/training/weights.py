"""The weights of a network, as training-free scores count them, and their gradients on a minibatch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from nas_core.task import Inputs
from nas_core.training.scoring_mode import scoring_mode


def weights(network: nn.Module) -> list[nn.Parameter]:
    """Return all parameters of two or more dimensions that are not named as a bias; a shared one stands once.

    They are those of convolutions and of linear layers, and the matrices and attention vectors of graph layers.
    """
    return [
        parameter for name, parameter in network.named_parameters() if parameter.ndim >= 2 and not name.endswith("bias")
    ]


def weight_gradients(
    network: nn.Module, inputs: Inputs, targets: Tensor, loss: Callable[[Tensor, Tensor], Tensor]
) -> list[tuple[Tensor, Tensor]]:
    """Return pairs (weight, gradient of the minibatch's loss by it), both cut off from the graph.

    The network is in training mode with its dropout off, and unchanged afterwards. A weight in a dead branch has no
    gradient and is left out, as is one that is frozen.

    Args:
        network: on the device of the inputs.
        inputs: a minibatch.
        targets: of the minibatch.
        loss: the mean loss of a minibatch from outputs and targets.
    """
    trained = [weight for weight in weights(network) if weight.requires_grad]
    with scoring_mode(network), torch.enable_grad():
        value = loss(network(inputs), targets)
        if not trained or not value.requires_grad:
            return []
        gradients = torch.autograd.grad(value, trained, allow_unused=True)
    return [
        (weight.detach(), gradient) for weight, gradient in zip(trained, gradients, strict=True) if gradient is not None
    ]


def finite(score: float) -> float:
    """Return a score that is a number.

    Raises:
        ValueError: it is none, because the network's activations or gradients are beyond its number format.
    """
    if not math.isfinite(score):
        raise ValueError(
            f"the score is {score}: activations or gradients are beyond the network's number format; score a shallower "
            "or narrower network, or one with normalization"
        )
    return float(score)
