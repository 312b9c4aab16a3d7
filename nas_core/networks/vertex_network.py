"""The networks of NAS-Bench-101: a stem, stacks of equal cells with operations on their vertices, a classifier."""

from __future__ import annotations

import torch
from torch import nn

from nas_core.networks.vertex_cell import VertexCell
from nas_core.task import TaskShape

CONV3X3, CONV1X1, MAX_POOL3X3 = range(3)
MOMENTUM = 0.003
"""Of batch normalization, in torch's sense: 1 - the published .997."""


class ConvBatchNormRelu(nn.Sequential):
    """Convolution without bias, batch normalization, ReLU, in this order.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: odd; the padding is half of it, rounded down.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels, momentum=MOMENTUM),
            nn.ReLU(),
        )


class Cell(nn.Module):
    """A cell with operations on its vertices.

    Follows the authors' code of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): every edge from the input is a 1x1
    projection to the channels of its target; along other edges the first channels of the source are taken; the inputs
    of an inner vertex are summed; those of the output are concatenated, and a projection of the input is added to them.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width).

    Args:
        cell: pruned.
        in_channels: channels of the input.
        out_channels: channels of the output, at least as many as vertices lead to it.
    """

    def __init__(self, cell: VertexCell, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.cell = cell
        self.channels = cell.channels(in_channels, out_channels)
        self.projections = nn.ModuleDict(
            {
                str(vertex): ConvBatchNormRelu(in_channels, self.channels[vertex], 1)
                for vertex in range(1, cell.num_vertices)
                if cell.has_edge(0, vertex)
            }
        )
        self.operations = nn.ModuleList(
            _operation(operation, channels)
            for operation, channels in zip(cell.operations, self.channels[1:-1], strict=True)
        )

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the output vertex."""
        last = self.cell.num_vertices - 1
        vertices = [inputs]
        for vertex in range(1, last):
            terms = [
                vertices[source][:, : self.channels[vertex]]
                for source in range(1, vertex)
                if self.cell.has_edge(source, vertex)
            ]
            vertices.append(self.operations[vertex - 1](_sum(terms + self._projected(inputs, vertex))))
        ends = [vertices[source] for source in range(1, last) if self.cell.has_edge(source, last)]
        concatenated = [torch.cat(ends, dim=1)] if ends else []
        return _sum(concatenated + self._projected(inputs, last))

    def _projected(self, inputs: torch.Tensor, vertex: int) -> list[torch.Tensor]:
        return [self.projections[str(vertex)](inputs)] if self.cell.has_edge(0, vertex) else []


class VertexNetwork(nn.Module):
    """Stem, stages of equal cells, max pooling and doubled channels between stages, and a linear classifier.

    Follows Ying et al. 2019 (arXiv:1902.09635): stem of a 3x3 convolution, batch normalization and ReLU; in the first
    cell of a later stage the channels double; at the end global average pooling and a linear layer.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        cell: pruned.
        channels: channels of the first stage.
        num_stages: stages.
        cells_per_stage: cells in each stage.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(
        self, task: TaskShape, cell: VertexCell, *, channels: int, num_stages: int, cells_per_stage: int
    ) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.stem = ConvBatchNormRelu(task.inputs[0], channels, 3)
        # odd sizes round up, so that images of any size go through; for even sizes this changes nothing
        self.reduction = nn.MaxPool2d(2, stride=2, ceil_mode=True)
        self.stages = nn.ModuleList()
        before = channels
        for stage in range(num_stages):
            after = channels * 2**stage
            self.stages.append(
                nn.Sequential(*(Cell(cell, after if number else before, after) for number in range(cells_per_stage)))
            )
            before = after
        self.classifier = nn.Linear(before, task.outputs[0])

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the pooled features (batch, channels) that the classifier sees."""
        outputs: torch.Tensor = self.stem(inputs)
        for number, stage in enumerate(self.stages):
            outputs = stage(self.reduction(outputs) if number else outputs)
        return outputs.mean(dim=(2, 3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        logits: torch.Tensor = self.classifier(self.features(inputs))
        return logits


def _operation(operation: int, channels: int) -> nn.Module:
    """Return an operation that keeps (batch, channels, height, width)."""
    if operation == MAX_POOL3X3:
        return nn.MaxPool2d(3, stride=1, padding=1)
    return ConvBatchNormRelu(channels, channels, 3 if operation == CONV3X3 else 1)


def _sum(terms: list[torch.Tensor]) -> torch.Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
