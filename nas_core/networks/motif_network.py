"""The networks of hierarchical representations: cells of motifs of primitive operations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nas_core.networks.chain_network import SeparableConvolution
from nas_core.networks.motif import PRIMITIVES, Hierarchy, Motif
from nas_core.networks.operations import RectifiedConvolution, same_convolution
from nas_core.task import TaskShape

Edge = Callable[[int, int], tuple[nn.Module, int]]


class AssembledMotif(nn.Module):
    """A motif in which each node is the concatenation of what its edges make of earlier nodes.

    Follows Liu et al. 2018 (arXiv:1711.00436).

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width).

    Args:
        motif: pruned and not empty.
        in_channels: channels of the input.
        edge: factory that is called with a label and the channels of the source, and returns a module and the channels
            of its result.

    Attributes:
        out_channels: channels of the last node.
    """

    def __init__(self, motif: Motif, in_channels: int, edge: Edge) -> None:
        super().__init__()
        self.motif = motif
        self.edges = nn.ModuleDict()
        channels = {0: in_channels}
        for node in range(1, motif.num_nodes):
            total = 0
            for source, label in motif.incoming(node):
                self.edges[f"{source}-{node}"], made = edge(label, channels[source])
                total += made
            channels[node] = total
        self.out_channels = channels[motif.num_nodes - 1]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the last node."""
        nodes = {0: inputs}
        for node in range(1, self.motif.num_nodes):
            terms = [self.edges[f"{source}-{node}"](nodes[source]) for source, _ in self.motif.incoming(node)]
            if terms:
                nodes[node] = torch.cat(terms, dim=1)
        return nodes[self.motif.num_nodes - 1]


class MotifNetwork(nn.Module):
    """Stem, stages of cells with separable convolutions between them, global average pooling, a linear classifier.

    Follows Liu et al. 2018 (arXiv:1711.00436): behind each cell stands a 3x3 separable convolution, which behind the
    last cell of a stage, but for the last stage, has stride 2 and twice the channels.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        hierarchy: canonical, with a cell that is not empty.
        channels: of convolutions of the first stage.
        num_stages: stages.
        cells_per_stage: cells in each stage.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(
        self, task: TaskShape, hierarchy: Hierarchy, *, channels: int, num_stages: int, cells_per_stage: int
    ) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.stem = RectifiedConvolution(same_convolution(task.inputs[0], channels, 3), channels)
        self.cells = nn.ModuleList()
        self.transitions = nn.ModuleList()
        for stage in range(num_stages):
            for number in range(cells_per_stage):
                cell = AssembledMotif(hierarchy.cell, channels, _motif_edge(hierarchy, channels))
                reduces = number == cells_per_stage - 1 and stage < num_stages - 1
                channels *= 2 if reduces else 1
                convolution = SeparableConvolution(cell.out_channels, channels, 3, stride=2 if reduces else 1)
                self.cells.append(cell)
                self.transitions.append(RectifiedConvolution(convolution, channels))
        self.classifier = nn.Linear(channels, task.outputs[0])

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the pooled features (batch, channels) that the classifier sees."""
        outputs: torch.Tensor = self.stem(inputs)
        for cell, transition in zip(self.cells, self.transitions, strict=True):
            outputs = transition(cell(outputs))
        return outputs.mean(dim=(2, 3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        logits: torch.Tensor = self.classifier(self.features(inputs))
        return logits


def _motif_edge(hierarchy: Hierarchy, channels: int) -> Edge:
    """Return the factory of the edges of a cell: motifs with a 1x1 convolution to the given channels behind each."""

    def edge(label: int, in_channels: int) -> tuple[nn.Module, int]:
        motif = AssembledMotif(
            hierarchy.motifs[label - 1], in_channels, lambda label, before: _primitive(label, before, channels)
        )
        projection = RectifiedConvolution(same_convolution(motif.out_channels, channels, 1), channels)
        return nn.Sequential(motif, projection), channels

    return edge


def _primitive(label: int, in_channels: int, channels: int) -> tuple[nn.Module, int]:
    """Return a primitive operation, and the channels of its result."""
    match PRIMITIVES[label]:
        case "conv_1x1":
            return RectifiedConvolution(same_convolution(in_channels, channels, 1), channels), channels
        case "depthwise_conv_3x3":
            convolution = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
            return RectifiedConvolution(convolution, in_channels), in_channels
        case "separable_conv_3x3":
            return RectifiedConvolution(SeparableConvolution(in_channels, channels, 3), channels), channels
        case "max_pool_3x3":
            return nn.MaxPool2d(3, stride=1, padding=1), in_channels
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False), in_channels
        case _:
            return nn.Identity(), in_channels
