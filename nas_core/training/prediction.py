"""The outputs of a network on a whole split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nas_core.task import Task
from nas_core.training.precision import forward

if TYPE_CHECKING:
    from nas_core.task import Shift

BATCH_SIZE = 512


def predict(
    network: nn.Module,
    task: Task,
    split: str,
    batch_size: int = BATCH_SIZE,
    *,
    shift: Shift | None = None,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    """Return (outputs (num, *task.shape.outputs) in float32, targets (num, ...)) in the stored order of a split.

    The network runs in evaluation mode without gradients and is left in the mode it was in.

    Args:
        network: on the task's device.
        task: gives the examples.
        split: "train", "validation" or "test".
        batch_size: examples at a time; it bounds the memory.
        shift: a distribution shift of the inputs, one of ``task.shifts(severity)``; None for none.
        generator: the shift's source of randomness, a CPU generator.

    Raises:
        ValueError: a shift without a generator.
    """
    if shift is not None and generator is None:
        raise ValueError("a shift needs a generator; give a CPU generator")
    was_training = network.training
    network.eval()
    outputs, targets = [], []
    try:
        with torch.no_grad():
            for inputs, batch_targets in task.batches(split, batch_size):
                if shift is not None and generator is not None:
                    inputs = shift(inputs, generator)
                outputs.append(forward(network, inputs, task.device))
                targets.append(batch_targets)
    finally:
        network.train(was_training)
    return torch.cat(outputs), torch.cat(targets)
