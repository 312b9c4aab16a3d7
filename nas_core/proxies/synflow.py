"""Synaptic flow: how much of a signal of ones passes through the weights (Tanaka et al. 2020, arXiv:2006.05467)."""

from __future__ import annotations

import math
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
    """Return the sum over the weights W of ``abs(W * dR/dW)``.

    R is the sum of the outputs on one example of ones, where every parameter is replaced by its absolute value and
    normalization by the identity, in double precision. Of the inputs only the shape is used, of a graph its structure.
    The weights are all parameters of two or more dimensions that are not named as a bias: those of convolutions and of
    linear layers, and the matrices and attention vectors of graph layers. Follows Abdelfattah et al. 2021
    (arXiv:2101.08134), whose networks have no other weights; there and here a weight in a dead branch has no gradient
    and adds nothing.

    Raises:
        ValueError: the flow is beyond double precision, as in a very deep network.
    """
    import copy

    import torch

    from nas_core.training.inputs import ones
    from nas_core.training.normalization import drop_normalization
    from nas_core.training.weights import weights

    linear = copy.deepcopy(network).double().eval()
    drop_normalization(linear)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.abs_()
    counted = [weight.requires_grad_() for weight in weights(linear)]
    with torch.enable_grad():
        flow = linear(ones(inputs[:1], torch.float64)).sum()
        gradients = torch.autograd.grad(flow, counted, allow_unused=True) if counted and flow.requires_grad else ()
    total = 0.0
    for weight, gradient in zip(counted, gradients, strict=False):
        if gradient is not None:
            total += float((weight.detach() * gradient).abs().sum())
    if not math.isfinite(total):
        raise ValueError("synaptic flow is beyond double precision; score a shallower or narrower network")
    return total
