"""How the loss changes along the weights, by sign (Abdelfattah et al. 2021, arXiv:2101.08134)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the sum over the weights W of ``W * dL/dW``, without an absolute value; L is the loss of the minibatch.

    Follows the authors' code. The terms cancel, and so are summed in double precision. The weights are all parameters
    of two or more dimensions that are not named as a bias, in training mode with dropout off; one in a dead branch has
    no gradient and adds nothing.

    Raises:
        ValueError: gradients are beyond the network's number format.
    """
    from nas_core.training.weights import finite, weight_gradients

    pairs = weight_gradients(network, inputs, targets, loss)
    return finite(sum(float((weight.double() * gradient.double()).sum()) for weight, gradient in pairs))
