"""The skeleton of a cell-based image classifier: stem, stages of cells with reductions between them, classifier."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nas_core.networks.operations import ReluConvBatchNorm
from nas_core.task import TaskShape
from nas_core.weight_sharing.gates import Gates


class Reduction(nn.Module):
    """A residual block that halves height and width: two ReLU-conv-BN, beside average pooling and a 1x1 convolution.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, ceil(height / 2), ceil(width / 2)).
    """

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.first = ReluConvBatchNorm(in_channels, out_channels, 3, stride=2)
        self.second = ReluConvBatchNorm(out_channels, out_channels, 3)
        self.shortcut = nn.Sequential(
            # Odd sizes round up, as in the strided convolution; for even sizes this changes nothing.
            nn.AvgPool2d(2, stride=2, ceil_mode=True),
            nn.Conv2d(in_channels, out_channels, 1, bias=False),
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the reduced feature map."""
        outputs: torch.Tensor = self.shortcut(inputs) + self.second(self.first(inputs))
        return outputs


class Skeleton(nn.Module):
    """Stem, stages of equal cells, a `Reduction` that doubles the channels between stages, and a linear classifier.

    Follows Dong & Yang 2020 (NAS-Bench-201, arXiv:2001.00326): stem of a 3x3 convolution and batch normalization; at
    the end batch normalization, ReLU, global average pooling and a linear layer.

    Called as ``network(inputs)`` where the edges of the cells are single operations, and as ``network(inputs, gates)``
    where they are mixed operations.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        channels: channels of the first stage.
        num_stages: stages.
        cells_per_stage: cells in each stage.
        cell: factory of a cell, called with its channels.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(
        self,
        task: TaskShape,
        *,
        channels: int,
        num_stages: int,
        cells_per_stage: int,
        cell: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.stem = nn.Sequential(
            nn.Conv2d(task.inputs[0], channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        self.stages = nn.ModuleList()
        self.reductions = nn.ModuleList()
        for stage in range(num_stages):
            if stage:
                self.reductions.append(Reduction(channels, 2 * channels))
                channels *= 2
            self.stages.append(nn.ModuleList(cell(channels) for _ in range(cells_per_stage)))
        self.batch_norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(channels, task.outputs[0])

    def features(self, inputs: torch.Tensor, *gates: Gates) -> torch.Tensor:
        """Return the pooled features (batch, channels) that the classifier sees."""
        outputs: torch.Tensor = self.stem(inputs)
        for stage, cells in enumerate(self.stages):
            if stage:
                outputs = self.reductions[stage - 1](outputs)
            assert isinstance(cells, nn.ModuleList)
            for cell in cells:
                outputs = cell(outputs, *gates)
        outputs = self.relu(self.batch_norm(outputs))
        return outputs.mean(dim=(2, 3))

    def forward(self, inputs: torch.Tensor, *gates: Gates) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        logits: torch.Tensor = self.classifier(self.features(inputs, *gates))
        for each in gates:
            # A gate that reaches no output (a dead branch) shall have a gradient of zero, not a missing one.
            logits = logits + 0.0 * sum(weights.sum() for weights in (*each.options, *(each.strengths or ())))
        return logits
