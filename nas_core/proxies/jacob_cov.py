"""How alike the examples of a batch look to a network (Mellor et al. 2020, arXiv:2006.04647v1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""

OFFSET = 1e-5
"""The paper's k, which keeps the score finite where the matrix is singular."""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return ``-sum(log(v + k) + 1 / (v + k))`` over the eigenvalues v of a correlation matrix, ``k = 1e-5``.

    The matrix is that of the examples' gradients of the summed outputs by the inputs, in training mode with dropout
    off. Follows the paper's first version and its code. Differs from the code where examples have no correlation,
    because the gradient of one of them does not vary: the score is that of a matrix whose eigenvalues are all 0, which
    no correlation matrix reaches, so that it ranks last. Eigenvalues below 0, which are rounding, count as 0. Targets
    and loss are not used.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch; scores of minibatches of different sizes do not compare.

    Raises:
        ValueError: the inputs are no tensor, or gradients are beyond the network's number format.
    """
    import torch

    from nas_core.training.input_gradients import correlations, input_gradients

    rows, _ = input_gradients(network, inputs)
    matrix = correlations(rows)
    if matrix is None:
        eigenvalues = torch.zeros(len(rows), dtype=torch.float64)
    else:
        eigenvalues = torch.linalg.eigvalsh(matrix.cpu()).clamp(min=0.0)
    shifted = eigenvalues + OFFSET
    return -float((shifted.log() + 1.0 / shifted).sum())
