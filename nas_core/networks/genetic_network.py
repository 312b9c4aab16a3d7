"""The networks of Genetic CNN: stages of equal convolutions that are connected as a graph says."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from nas_core.networks.operations import RectifiedConvolution, same_convolution
from nas_core.networks.stage_graph import StageGraph
from nas_core.task import TaskShape


class Stage(nn.Module):
    """A graph of convolutions between a default input node and a default output node.

    Follows Xie & Yuille 2017 (arXiv:1703.01513): every node, the default ones included, sums up its inputs and makes a
    convolution, batch normalization and ReLU of them; without any connection there is one convolution and not two.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width).

    Args:
        graph: of the ordinary nodes.
        in_channels: channels of the input.
        out_channels: filters of every node.
        kernel_size: of every node; odd.
    """

    def __init__(self, graph: StageGraph, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__()
        self.graph = graph

        def node(channels: int) -> nn.Module:
            return RectifiedConvolution(same_convolution(channels, out_channels, kernel_size), out_channels)

        self.first = node(in_channels)
        self.nodes = nn.ModuleDict({str(place): node(out_channels) for place in graph.nodes()})
        self.last = node(out_channels) if len(self.nodes) else None

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the default output node."""
        start: torch.Tensor = self.first(inputs)
        if self.last is None:
            return start
        made: dict[int, torch.Tensor] = {}
        for place in self.graph.nodes():
            sources = [made[source] for source in self.graph.sources(place)] or [start]
            made[place] = self.nodes[str(place)](_sum(sources))
        outputs: torch.Tensor = self.last(_sum([made[place] for place in self.graph.last_nodes()]))
        return outputs


class GeneticNetwork(nn.Module):
    """Stages with max pooling behind each, global average pooling and a linear classifier.

    Follows Xie & Yuille 2017 (arXiv:1703.01513). Differs from the paper: between the last pooling and the classifier
    stands global average pooling in place of a fully connected layer with dropout, so that images of any size go
    through.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        graphs: one a stage.
        channels: filters of the first stage; each further one doubles them.
        cells_per_stage: how often the graph of each stage is run in a row.
        kernel_size: of every convolution; odd.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(
        self, task: TaskShape, graphs: Sequence[StageGraph], *, channels: int, cells_per_stage: int, kernel_size: int
    ) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.stages = nn.ModuleList()
        before = task.inputs[0]
        for number, graph in enumerate(graphs):
            after = channels * 2**number
            self.stages.append(
                nn.Sequential(
                    *(Stage(graph, after if cell else before, after, kernel_size) for cell in range(cells_per_stage))
                )
            )
            before = after
        # windows of 3 every 2 pixels; the padding halves sizes, odd ones rounded up, so that a pixel always is left
        self.pooling = nn.MaxPool2d(3, stride=2, padding=1)
        self.classifier = nn.Linear(before, task.outputs[0])

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the pooled features (batch, channels) that the classifier sees."""
        outputs = inputs
        for stage in self.stages:
            outputs = self.pooling(stage(outputs))
        return outputs.mean(dim=(2, 3))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        logits: torch.Tensor = self.classifier(self.features(inputs))
        return logits


def _sum(terms: Sequence[torch.Tensor]) -> torch.Tensor:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
