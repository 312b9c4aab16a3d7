"""A network made as wide as it has to be to have as many parameters as another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.architecture import Architecture
from nas_core.randomness import Streams
from nas_core.space import HasScales, SearchSpace

if TYPE_CHECKING:
    from nas_core.task import TaskShape

FINEST_STEP = 1 / 64
LARGEST_WIDTH = 16.0


def width_of_equal_size(
    space: HasScales, architecture: Architecture, task: TaskShape, num_parameters: int
) -> tuple[float, int]:
    """Return the multiple of the space's width at which a network comes nearest to a number of parameters, and its own.

    By bisection over multiples of 1/64 from 1/64 to 16, between which the number of parameters rises.

    Args:
        space: the architecture's.
        architecture: a member.
        task: what the network takes and gives.
        num_parameters: of the network to be equaled.
    """
    from nas_core.training.measurement import num_parameters as counted

    def size(steps: int) -> int:
        scaled: SearchSpace = space.scaled(width=steps * FINEST_STEP)
        return counted(scaled.network(architecture, task, Streams(0).torch("init")))

    low, high = 1, round(LARGEST_WIDTH / FINEST_STEP)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if size(middle) >= num_parameters else (middle + 1, high)
    steps = min((max(low - 1, 1), low), key=lambda each: abs(size(each) - num_parameters))
    return steps * FINEST_STEP, size(steps)
