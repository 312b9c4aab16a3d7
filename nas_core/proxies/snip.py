"""How much the loss would feel the loss of each weight (Lee et al. 2019, SNIP, arXiv:1810.02340)."""

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
    """Return the sum over the weights W of ``abs(W * dL/dW)``, with L the loss of the minibatch.

    Follows Abdelfattah et al. 2021 (arXiv:2101.08134), who sum the paper's saliencies of connections over a network;
    the paper's own normalization by that sum would leave nothing to compare networks by. The weights are all parameters
    of two or more dimensions that are not named as a bias, in training mode with dropout off; one in a dead branch has
    no gradient and adds nothing.

    Raises:
        ValueError: gradients are beyond the network's number format.
    """
    from nas_core.training.weights import finite, weight_gradients

    pairs = weight_gradients(network, inputs, targets, loss)
    return finite(sum(float((weight.double() * gradient.double()).abs().sum()) for weight, gradient in pairs))
