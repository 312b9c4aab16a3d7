"""The parts of a `Skeleton` one by one, each at its place, so that they can be measured by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from nas_core.networks.skeleton import Reduction
from nas_core.space import LocatedOperation
from nas_core.task import TaskShape

Shape = tuple[int, int, int]


class Addition(nn.Module):
    """The sum of two feature maps, which here are the same one."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        return inputs + inputs


class Head(nn.Module):
    """What follows the last cell: batch normalization, ReLU, global average pooling, linear layer.

    Shapes: (batch, channels, height, width) to (batch, classes).
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.batch_norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits."""
        logits: torch.Tensor = self.classifier(self.relu(self.batch_norm(inputs)).mean(dim=(2, 3)))
        return logits


def stage_shapes(task: TaskShape, channels: int, num_stages: int) -> tuple[Shape, ...]:
    """Return the shape (channels, height, width) of the feature maps of each stage."""
    _, height, width = task.inputs
    return tuple((channels * 2**stage, -(-height // 2**stage), -(-width // 2**stage)) for stage in range(num_stages))


def at(operation: str, shape: Sequence[int]) -> str:
    """Return the key of an operation on inputs of a shape, such as ``nor_conv_3x3 16x32x32``."""
    return f"{operation} {'x'.join(map(str, shape))}"


def skeleton_operations(
    task: TaskShape, channels: int, num_stages: int, cells_per_stage: int, num_additions: int
) -> dict[str, tuple[LocatedOperation, int]]:
    """Return what every network of a skeleton runs besides the operations on edges, with how often, by key.

    Args:
        task: what the network takes and gives.
        channels: of the first stage.
        num_stages: stages.
        cells_per_stage: cells in each of them.
        num_additions: sums of two feature maps in a cell.
    """
    num_classes = task.outputs[0]
    shapes = stage_shapes(task, channels, num_stages)

    def stem() -> nn.Module:
        convolution = nn.Conv2d(task.inputs[0], channels, 3, padding=1, bias=False)
        return nn.Sequential(convolution, nn.BatchNorm2d(channels))

    found = {f"{at('stem', task.inputs)} to {channels}": (LocatedOperation(task.inputs, stem), 1)}
    for before in shapes[:-1]:
        found[at("reduction", before)] = (LocatedOperation(before, partial(Reduction, before[0], 2 * before[0])), 1)
    for shape in shapes:
        found[at("addition", shape)] = (LocatedOperation(shape, Addition), cells_per_stage * num_additions)
    last = shapes[-1]
    found[f"{at('head', last)} to {num_classes}"] = (LocatedOperation(last, lambda: Head(last[0], num_classes)), 1)
    return found
