"""The networks of Genetic CNN: stages of equal convolutions that are connected as a graph says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn

from nas_core.networks.operations import RectifiedConvolution, same_convolution
from nas_core.networks.stage_graph import StageGraph
from nas_core.task import TaskShape
from nas_core.weight_sharing.gates import Gates


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
            made[place] = self.nodes[str(place)](total(sources))
        outputs: torch.Tensor = self.last(total([made[place] for place in self.graph.last_nodes()]))
        return outputs


class SharedStage(nn.Module):
    """All graphs of a stage in one, with weights between 0 and 1 for the absence and presence of each connection.

    With p for presence and a for absence, a node sums up p times each earlier node and, so far as none leads to it (the
    product of the a to it), the default input node. The default output node sums up the nodes so far as they lead to
    none, and something leads to them; it is left out so far as there is no connection at all. With one-hot gates this
    is the `Stage` of their graph.

    Shapes: (batch, in_channels, height, width) and gates to (batch, out_channels, height, width).

    Args:
        num_nodes: ordinary nodes.
        first_choice: index of the choice of the first connection, in the order of the published code.
        in_channels: channels of the input.
        out_channels: filters of every node.
        kernel_size: of every node; odd.
        affine: whether batch normalization has a learnable scale and shift.
    """

    def __init__(
        self,
        num_nodes: int,
        first_choice: int,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        affine: bool,
    ) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.first_choice = first_choice

        def node(channels: int) -> nn.Module:
            convolution = same_convolution(channels, out_channels, kernel_size)
            return RectifiedConvolution(convolution, out_channels, affine=affine)

        self.first = node(in_channels)
        self.nodes = nn.ModuleDict({str(place): node(out_channels) for place in range(num_nodes)})
        self.last = node(out_channels)

    def forward(self, inputs: torch.Tensor, gates: Gates) -> torch.Tensor:
        """Return the mixture of the graphs that the gates ask for."""
        start: torch.Tensor = self.first(inputs)
        absent, present = self._weights(gates)
        unreached = [
            torch.stack([absent[source, place] for source in range(place)]).prod() if place else start.new_ones(())
            for place in range(self.num_nodes)
        ]
        made: dict[int, torch.Tensor] = {}
        ends = []
        for place in range(self.num_nodes):
            later = range(place + 1, self.num_nodes)
            terms = [present[source, place] * made[source] for source in range(place) if (source, place) in present]
            if not terms and not any((place, target) in present for target in later):
                continue
            made[place] = self.nodes[str(place)](total([*terms, unreached[place] * start]))
            if terms:
                leading_nowhere = torch.stack([start.new_ones(()), *(absent[place, target] for target in later)]).prod()
                ends.append((1.0 - unreached[place]) * leading_nowhere * made[place])
        if not ends:
            return start
        unconnected = torch.stack(list(absent.values())).prod()
        outputs: torch.Tensor = unconnected * start + (1.0 - unconnected) * self.last(total(ends))
        return outputs

    def _weights(self, gates: Gates) -> tuple[dict[tuple[int, int], torch.Tensor], dict[tuple[int, int], torch.Tensor]]:
        """Return the weight of the absence of each connection, and that of its presence where that is run."""
        absent, present = {}, {}
        choice = self.first_choice
        for target in range(self.num_nodes):
            for source in range(target):
                weights, active = gates.options[choice], gates.active_options(choice)
                absent[source, target] = weights[0] if 0 in active else weights.new_zeros(())
                if 1 in active:
                    strength = 1.0 if gates.strengths is None else gates.strengths[choice]
                    present[source, target] = strength * weights[1]
                choice += 1
        return absent, present


class GeneticNetwork(nn.Module):
    """Stages with max pooling behind each, global average pooling and a linear classifier.

    Follows Xie & Yuille 2017 (arXiv:1703.01513). Differs from the paper: between the last pooling and the classifier
    stands global average pooling in place of a fully connected layer with dropout, so that images of any size go
    through.

    Called as ``network(inputs)``, and as ``network(inputs, gates)`` where the stages are shared ones.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        num_stages: stages.
        channels: filters of the first stage; each further one doubles them.
        cells_per_stage: how often the graph of each stage is run in a row.
        stage: factory that is called with the number of a stage, and the channels that it takes and gives.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(
        self,
        task: TaskShape,
        *,
        num_stages: int,
        channels: int,
        cells_per_stage: int,
        stage: Callable[[int, int, int], nn.Module],
    ) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.stages = nn.ModuleList()
        before = task.inputs[0]
        for number in range(num_stages):
            after = channels * 2**number
            cells = [stage(number, after if cell else before, after) for cell in range(cells_per_stage)]
            self.stages.append(nn.ModuleList(cells))
            before = after
        # windows of 3 every 2 pixels; the padding halves sizes, odd ones rounded up, so that a pixel always is left
        self.pooling = nn.MaxPool2d(3, stride=2, padding=1)
        self.classifier = nn.Linear(before, task.outputs[0])

    def features(self, inputs: torch.Tensor, *gates: Gates) -> torch.Tensor:
        """Return the pooled features (batch, channels) that the classifier sees."""
        outputs = inputs
        for cells in self.stages:
            assert isinstance(cells, nn.ModuleList)
            for cell in cells:
                outputs = cell(outputs, *gates)
            outputs = self.pooling(outputs)
        return outputs.mean(dim=(2, 3))

    def forward(self, inputs: torch.Tensor, *gates: Gates) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        logits: torch.Tensor = self.classifier(self.features(inputs, *gates))
        for each in gates:
            # a gate that reaches no output shall have a gradient of zero, not a missing one
            logits = logits + 0.0 * sum(weights.sum() for weights in (*each.options, *(each.strengths or ())))
        return logits


def inherited_nodes(shared: Mapping[str, torch.Tensor], network: nn.Module) -> dict[str, torch.Tensor]:
    """Return the state of a network out of that of one with shared stages, in which its nodes have the same names.

    Batch normalization without scale and shift gets a scale of 1 and a shift of 0, which compute the same.

    Args:
        shared: the state of the network with shared stages.
        network: of the same space.

    Returns:
        What ``network.load_state_dict`` takes; copies, which share no memory.
    """
    state = {}
    for name, value in network.state_dict().items():
        if name in shared:
            state[name] = shared[name].clone()
        else:
            state[name] = torch.ones_like(value) if name.endswith(".weight") else torch.zeros_like(value)
    return state


def total(terms: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the sum of at least one tensor."""
    found = terms[0]
    for term in terms[1:]:
        found = found + term
    return found
