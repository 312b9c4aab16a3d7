"""Learning from a trained network besides learning from the targets."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nas_core.task import Inputs
from nas_core.training.precision import forward

TEMPERATURE = 2.0
"""By which logits are divided before the softmax."""


@dataclass(frozen=True)
class Distillation:
    """Mixes the loss with the cross entropy of the softened outputs: (1 - share) L + share T^2 H(p_teacher, p).

    p is the softmax of the logits divided by the temperature T; its square keeps the size of the gradients (Hinton,
    Vinyals & Dean 2015, arXiv:1503.02531).

    Attributes:
        teacher: a trained network with the same outputs, the logits of classes; it is not changed.
        share: in (0, 1].
    """

    teacher: nn.Module
    share: float

    def mixed(self, loss: Tensor, inputs: Inputs, outputs: Tensor, device: torch.device) -> Tensor:
        """Return the mixed loss of a minibatch.

        Args:
            loss: the task's own.
            inputs: of both networks.
            outputs: logits (batch, classes, ...) of the one that learns.
            device: where all are.
        """
        self.teacher.eval()
        with torch.no_grad():
            taught = torch.softmax(forward(self.teacher, inputs, device) / TEMPERATURE, dim=1)
        logarithms = torch.log_softmax(outputs / TEMPERATURE, dim=1)
        cross_entropy = -(taught * logarithms).sum(dim=1).mean()
        return (1 - self.share) * loss + self.share * TEMPERATURE**2 * cross_entropy
