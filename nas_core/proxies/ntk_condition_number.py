"""How unevenly a network learns at first (Chen et al. 2021, TE-NAS, arXiv:2102.11535)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "minimize"
UNIT = ""

NUM_REPEATS = 3
"""Initializations."""

SINGULAR_SCORE = 1e5
"""Score where the kernel is singular: above every other one."""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the largest over the smallest eigenvalue of the neural tangent kernel, the mean over 3 initializations.

    The kernel is the Gram matrix (batch, batch) of the examples' gradients of their summed outputs by the weights, in
    training mode with dropout off. Weights are drawn from a normal distribution of variance 2 / fan_out, biases are 0.
    The draws come from a generator with a fixed seed of its own: every network meets the same ones. The weights are
    all parameters of two or more dimensions that are not named as a bias; one in a dead branch has no gradient and adds
    nothing. Targets and loss are not used.

    Follows the paper. Differs from the authors' code: scales of batch normalizations are no weights; all repeats see
    the minibatch that is given; and a singular kernel, whose quotient is infinite, of a random sign or no number, gets
    `SINGULAR_SCORE`, the code's value for the last of these. It is the largest score: the quotient of a kernel in
    single precision means nothing beyond.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch.

    Raises:
        ValueError: gradients are beyond the network's number format.
    """
    import copy

    import torch

    from nas_core.training.redrawing import kaiming, redraw

    drawn = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(0)
    total = 0.0
    for _ in range(NUM_REPEATS):
        redraw(drawn, lambda weight: kaiming(weight.shape[0] * weight[0, 0].numel()), generator)
        eigenvalues = torch.linalg.eigvalsh(_kernel(drawn, inputs).cpu())
        if eigenvalues[0] <= eigenvalues[-1] / SINGULAR_SCORE:
            total += SINGULAR_SCORE
        else:
            total += float(eigenvalues[-1] / eigenvalues[0])
    return total / NUM_REPEATS


def _kernel(network: nn.Module, inputs: Inputs) -> torch.Tensor:
    """Return the Gram matrix (batch, batch) float64 of the examples' gradients by the weights."""
    import torch

    from nas_core.training.scoring_mode import scoring_mode
    from nas_core.training.weights import finite, weights

    trained = [weight for weight in weights(network) if weight.requires_grad]
    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    with scoring_mode(network), torch.enable_grad():
        outputs = network(inputs)
        if not trained or not outputs.requires_grad:
            return kernel
        by_example = [
            torch.autograd.grad(example.sum(), trained, retain_graph=True, allow_unused=True) for example in outputs
        ]
    for of_weight in zip(*by_example, strict=True):
        if all(gradient is not None for gradient in of_weight):
            # One weight after the other, so that no second copy of all gradients is held.
            rows = torch.stack([gradient.flatten() for gradient in of_weight]).double()
            kernel += rows @ rows.T
    finite(float(kernel.abs().sum()))
    return kernel
