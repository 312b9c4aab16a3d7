"""Synaptic flow: how much of a signal of ones passes through the weights (Tanaka et al. 2020, arXiv:2006.05467)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""


def score(
    network: nn.Module,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the sum over the weights W of convolutions and linear layers of ``abs(W * dR/dW)``.

    R is the sum of the outputs on one example of ones, where every parameter is replaced by its absolute value and
    batch normalization by the identity, in double precision. Only the shape of the inputs is used. Follows Abdelfattah
    et al. 2021 (arXiv:2101.08134). A weight in a dead branch has no gradient and adds nothing.

    Raises:
        ValueError: the flow is beyond double precision, as in a very deep network.
    """
    import copy

    import torch
    from torch import nn

    linear = copy.deepcopy(network).double().eval()
    _drop_batch_normalization(linear)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.abs_()
    weights = [
        module.weight.requires_grad_() for module in linear.modules() if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    with torch.enable_grad():
        flow = linear(torch.ones_like(inputs[:1], dtype=torch.float64)).sum()
        gradients = torch.autograd.grad(flow, weights, allow_unused=True) if weights and flow.requires_grad else ()
    total = 0.0
    for weight, gradient in zip(weights, gradients, strict=False):
        if gradient is not None:
            total += float((weight.detach() * gradient).abs().sum())
    if not math.isfinite(total):
        raise ValueError("synaptic flow is beyond double precision; score a shallower or narrower network")
    return total


def _drop_batch_normalization(module: nn.Module) -> None:
    """Put the identity in the place of every batch normalization below a module."""
    from torch import nn

    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            setattr(module, name, nn.Identity())
        else:
            _drop_batch_normalization(child)
