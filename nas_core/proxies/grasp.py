"""How much each weight helps gradients to flow (Wang et al. 2020, GraSP, arXiv:2002.07376)."""

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
    """Return the sum over the weights W of ``-(W * Hg)``, with ``Hg = d/dW (stop(g) . g)`` and ``g = dL/dW``.

    H is the Hessian of the minibatch's loss L by all weights together, and stop(g) is held constant. Follows
    Abdelfattah et al. 2021 (arXiv:2101.08134), who sum the paper's score over a network, at its temperature 1. That
    more is better is their reading; published correlations with accuracy are absolute values, and prove no sign. The
    weights are all parameters of two or more dimensions that are not named as a bias, in training mode with dropout
    off; one in a dead branch has no gradient and adds nothing.

    Raises:
        ValueError: gradients are beyond the network's number format.
    """
    import torch

    from nas_core.training.scoring_mode import scoring_mode
    from nas_core.training.weights import finite, weights

    trained = [weight for weight in weights(network) if weight.requires_grad]
    with scoring_mode(network), torch.enable_grad():
        value = loss(network(inputs), targets)
        if not trained or not value.requires_grad:
            return 0.0
        gradients = torch.autograd.grad(value, trained, create_graph=True, allow_unused=True)
        flow = sum((gradient.detach() * gradient).sum() for gradient in gradients if gradient is not None)
        if not isinstance(flow, torch.Tensor) or not flow.requires_grad:
            return 0.0
        products = torch.autograd.grad(flow, trained, allow_unused=True)
    total = sum(
        float((weight.detach().double() * product.double()).sum())
        for weight, product in zip(trained, products, strict=True)
        if product is not None
    )
    return finite(0.0 - total)
