"""How long the weights are: a score without data (as in Krishnakumar et al. 2022, arXiv:2210.03230)."""

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
    """Return the sum over the weights W of their 2-norm ``||W||``; inputs, targets and loss are not used.

    Follows the paper's code. The weights are all parameters of two or more dimensions that are not named as a bias.
    Those in dead branches count too: nothing is computed that could tell them apart.

    Raises:
        ValueError: a weight is no number.
    """
    from nas_core.training.weights import finite, weights

    return finite(sum(float(weight.detach().double().norm()) for weight in weights(network)))
