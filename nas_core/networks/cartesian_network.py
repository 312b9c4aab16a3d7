"""The network of a Cartesian genetic program."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from nas_core.networks.cartesian_program import Function, Step
from nas_core.networks.operations import RectifiedConvolution, same_convolution
from nas_core.task import TaskShape


class ResidualBlock(nn.Module):
    """Two convolutions with batch normalization, the input added, ReLU.

    Follows Suganuma et al. 2017 (arXiv:1704.00764): ReLU stands also between the convolutions, and whichever of the two
    terms has fewer channels is padded with zeros.

    Shapes: (batch, in_channels, height, width) to (batch, max(in_channels, out_channels), height, width).

    Args:
        in_channels: channels of the input.
        out_channels: filters of the convolutions.
        kernel_size: of the convolutions; odd.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.first = RectifiedConvolution(same_convolution(in_channels, out_channels, kernel_size), out_channels)
        self.second = same_convolution(out_channels, out_channels, kernel_size)
        self.batch_norm = nn.BatchNorm2d(out_channels)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the feature map."""
        return functional.relu(padded_sum(self.batch_norm(self.second(self.first(inputs))), inputs))


class CartesianNetwork(nn.Module):
    """The steps of a program on the image, and a linear classifier of all that the last one gives.

    Follows Suganuma et al. 2017 (arXiv:1704.00764): a block keeps height and width, a pooling halves them; of two
    feature maps to be joined the larger one is max-pooled until their sizes are equal. Sizes that are odd are halved
    rounding up, and a single pixel stays, so that images of any size go through.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        steps: of the program, at least one, each taking earlier values; the last one gives the output.
        width: factor of the filters of all blocks.
        depth: how often each block is repeated.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(self, task: TaskShape, steps: Sequence[Step], *, width: float = 1.0, depth: int = 1) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.program = tuple(steps)
        channels, halvings = [task.inputs[0]], [0]
        self.steps = nn.ModuleList()
        self.extra_halvings: list[tuple[int, ...]] = []
        for step in steps:
            before = [channels[source] for source in step.sources]
            number = max(halvings[source] for source in step.sources)
            self.extra_halvings.append(tuple(number - halvings[source] for source in step.sources))
            made, after = _module(step.function, before, width, depth)
            self.steps.append(made)
            channels.append(after)
            halvings.append(number + isinstance(made, nn.MaxPool2d | nn.AvgPool2d))
        self.halving = nn.MaxPool2d(2, ceil_mode=True)
        num_pixels = math.prod(-(-size // 2 ** halvings[-1]) for size in task.inputs[1:])
        self.classifier = nn.Linear(channels[-1] * num_pixels, task.outputs[0])

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        values = [inputs]
        for step, module, halvings in zip(self.program, self.steps, self.extra_halvings, strict=True):
            taken = [self._halved(values[source], count) for source, count in zip(step.sources, halvings, strict=True)]
            values.append(module(*taken))
        logits: torch.Tensor = self.classifier(values[-1].flatten(1))
        return logits

    def _halved(self, value: torch.Tensor, count: int) -> torch.Tensor:
        for _ in range(count):
            value = self.halving(value)
        return value


class Concatenation(nn.Module):
    """The channels of one feature map behind those of another, of the same size."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return both."""
        return torch.cat((first, second), dim=1)


class Summation(nn.Module):
    """The sum of two feature maps of the same size; the one with fewer channels is padded with zeros."""

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        return padded_sum(first, second)


def padded_sum(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the sum of two feature maps of the same size, the channels of the smaller being filled up with zeros."""
    missing = first.shape[1] - second.shape[1]
    if missing < 0:
        first = functional.pad(first, (0, 0, 0, 0, 0, -missing))
    elif missing > 0:
        second = functional.pad(second, (0, 0, 0, 0, 0, missing))
    return first + second


def _module(function: Function, before: Sequence[int], width: float, depth: int) -> tuple[nn.Module, int]:
    """Return what computes a function of feature maps with the given channels, and the channels of its result."""
    match function.kind:
        case "max_pool":
            return nn.MaxPool2d(2, ceil_mode=True), before[0]
        case "avg_pool":
            return nn.AvgPool2d(2, ceil_mode=True), before[0]
        case "concatenation":
            return Concatenation(), sum(before)
        case "summation":
            return Summation(), max(before)
    filters = math.ceil(round(function.channels * width, 9))
    channels = before[0]
    blocks: list[nn.Module] = []
    for _ in range(depth):
        if function.kind == "res_block":
            blocks.append(ResidualBlock(channels, filters, function.kernel_size))
            channels = max(channels, filters)
        else:
            convolution = same_convolution(channels, filters, function.kernel_size)
            blocks.append(RectifiedConvolution(convolution, filters))
            channels = filters
    return (blocks[0] if depth == 1 else nn.Sequential(*blocks)), channels
