"""Networks small enough to be worked by hand, for the tests of training-free scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

DROPPED = 0.9
"""Share of units that a test's dropout drops, if it is not off."""


def linear(weight: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


def half_square(outputs: Tensor, targets: Tensor) -> Tensor:
    """Half the squared error: its derivative by an output is output minus target."""
    return (outputs - targets).square().sum() / 2


def two_layers() -> nn.Sequential:
    """On (1, 2): hidden units 3 - 2 = 1 and -1, of which the second is off; the output is 2.

    For the target 5 the loss's derivative by the output is -3; by the second layer's weights [-3, 0]; by those of the
    first layer -3 * 2 * [1, 2] = [-6, -12] and, for the unit that is off, [0, 0].
    """
    return nn.Sequential(linear([[3.0, -1.0], [-1.0, 0.0]]), nn.ReLU(), linear([[2.0, 5.0]]))


INPUTS = torch.tensor([[1.0, 2.0]])
TARGETS = torch.tensor([[5.0]])


class DeadBranch(nn.Module):
    """A network beside which a layer computes what nobody uses."""

    def __init__(self, live: nn.Module, dead: nn.Module) -> None:
        super().__init__()
        self.live = live
        self.dead = dead

    def forward(self, inputs: Tensor) -> Tensor:
        self.dead(inputs)
        outputs: Tensor = self.live(inputs)
        return outputs
