"""The bit strings of Genetic CNN (Xie & Yuille 2017, arXiv:1703.01513): which convolutions of a stage are connected.

A stage of K ordered nodes has a bit for each of the K (K - 1) / 2 possible connections. The published settings for
CIFAR-10 are three stages of 3, 4 and 5 nodes: 19 bits and 2^19 = 524,288 codes, which stand for 6 * 31 * 302 = 56,172
networks; those for MNIST are two stages of 3 and 5 nodes: 13 bits, 8,192 codes and 6 * 302 = 1,812 networks.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas_core.architecture import Architecture, Choice
from nas_core.networks.stage_graph import StageGraph, num_bits
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.networks.genetic_network import GeneticNetwork
    from nas_core.weight_sharing.supernet import Mixing

NAME = "genetic_cnn"
OPTIONS = ("absent", "present")
MOST_NODES = 7
"""Of a stage; the canonical form tries up to 7! orders."""


@dataclass(frozen=True)
class GeneticCNN:
    """The codes of stages with given numbers of nodes, in networks of a given width.

    Every code is a member. Its variation is the one of all spaces, which changes single bits.

    Attributes:
        nodes: ordinary nodes of each stage, from 2 to 7.
        channels: filters of the first stage; each further stage doubles them.
        cells_per_stage: how often the graph of each stage is run in a row; 1 in the paper.
        kernel_size: of every convolution; odd.
    """

    nodes: tuple[int, ...] = (3, 4, 5)
    channels: int = 8
    cells_per_stage: int = 1
    kernel_size: int = 5

    def __post_init__(self) -> None:
        if not self.nodes or min(self.nodes) < 2 or max(self.nodes) > MOST_NODES:
            raise ValueError(f"nodes are {self.nodes}; give each stage a number from 2 to {MOST_NODES}, as [3, 4, 5]")
        if min(self.channels, self.cells_per_stage) < 1:
            raise ValueError(f"{self} is not a space; channels and cells_per_stage are at least 1")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {self.kernel_size}; give an odd number, as 3 or 5")

    @property
    def name(self) -> str:
        """Name of the space, the same for all numbers of nodes."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take."""
        return "images"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """One choice a bit, in the order of the published code."""
        return _choices(self.nodes)

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether the architecture is a code of these stages."""
        return (
            architecture.space == NAME
            and len(architecture.decisions) == len(self.choices)
            and all(decision in (0, 1) for decision in architecture.decisions)
        )

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the least code of those whose stages have the same graphs but for the order of the nodes.

        Exact, since all nodes of a stage do the same: of K = 2, 3, 4, 5 nodes there are 2, 6, 31, 302 different graphs.
        """
        return self._architecture([graph.canonical() for graph in self._graphs(architecture)])

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best bits; every code is valid, and a tie goes to no connection."""
        return Architecture(NAME, tuple(int(row[1] > row[0]) for row in scores))

    def reference(self) -> Architecture:
        """Return the network of chains with a connection over each, as the paper writes a variant of ResNet."""
        return self._architecture(
            [
                StageGraph(
                    tuple(
                        (1 << node - 1 if node else 0) | (1 if node == number - 1 and node > 1 else 0)
                        for node in range(number)
                    )
                )
                for number in self.nodes
            ]
        )

    def to_code(self, architecture: Architecture) -> str:
        """Return the code as the paper writes it, stages apart by a slash, as ``1-01/1-00-111/0-10-000-0011``."""
        return "/".join(
            "-".join("".join(map(str, graph.bits()[num_bits(node) : num_bits(node + 1)])) for node in range(1, number))
            for number, graph in zip(self.nodes, self._graphs(architecture), strict=True)
        )

    def from_code(self, name: str) -> Architecture:
        """Return the architecture of a code that is written as `to_code` does.

        Raises:
            ValueError: if the text is none of these stages.
        """
        bits = tuple(int(letter) for letter in name if letter in "01")
        architecture = Architecture(NAME, bits)
        if not self.is_valid(architecture) or self.to_code(architecture) != name:
            zeros = self.to_code(Architecture(NAME, (0,) * len(self.choices)))
            raise ValueError(f"{name!r} is no code of stages of {self.nodes} nodes; write bits as in {zeros}")
        return architecture

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> GeneticCNN:
        """Return the space with channels times `width` and repetitions of stages times `depth`, rounded up."""
        return replace(
            self,
            channels=max(1, math.ceil(round(self.channels * width, 9))),
            cells_per_stage=max(1, math.ceil(round(self.cells_per_stage * depth, 9))),
        )

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized network of a code, on the CPU.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        from nas_core.networks.genetic_network import Stage

        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no code of {NAME}; give {len(self.choices)} bits")
        graphs = self._graphs(architecture)

        def stage(number: int, in_channels: int, out_channels: int) -> nn.Module:
            return Stage(graphs[number], in_channels, out_channels, self.kernel_size)

        return self._network(task, init, stage)

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> GeneticNetwork:
        """Return the supernet, on the CPU, called as ``supernet(inputs, gates)``; repeated stages share their gates.

        Raises:
            ValueError: the task is not image classification, or `mixing` asks for a fraction of the channels.
        """
        from nas_core.networks.genetic_network import SharedStage
        from nas_core.weight_sharing.supernet import Mixing

        chosen = Mixing() if mixing is None else mixing
        if chosen.channel_fraction != 1:
            raise ValueError(
                f"channel_fraction is {chosen.channel_fraction}; {NAME} mixes connections of whole feature maps, give 1"
            )
        starts = [sum(map(num_bits, self.nodes[:number])) for number in range(len(self.nodes))]

        def stage(number: int, in_channels: int, out_channels: int) -> nn.Module:
            return SharedStage(
                self.nodes[number],
                starts[number],
                in_channels,
                out_channels,
                self.kernel_size,
                affine=chosen.affine,
            )

        return self._network(task, init, stage)

    def inherited_state(
        self, supernet_state: Mapping[str, torch.Tensor], network: nn.Module
    ) -> Mapping[str, torch.Tensor]:
        """Return what a network takes over from the supernet: every node of a stage has its own weights there."""
        from nas_core.networks.genetic_network import inherited_nodes

        return inherited_nodes(supernet_state, network)

    def _network(
        self, task: TaskShape, init: torch.Generator, stage: Callable[[int, int, int], nn.Module]
    ) -> GeneticNetwork:
        from nas_core.networks.genetic_network import GeneticNetwork
        from nas_core.networks.initialization import initialized

        def make() -> GeneticNetwork:
            return GeneticNetwork(
                task,
                num_stages=len(self.nodes),
                channels=self.channels,
                cells_per_stage=self.cells_per_stage,
                stage=stage,
            )

        return initialized(make, init)

    def _graphs(self, architecture: Architecture) -> list[StageGraph]:
        graphs, start = [], 0
        for number in self.nodes:
            end = start + num_bits(number)
            graphs.append(StageGraph.from_bits(number, architecture.decisions[start:end]))
            start = end
        return graphs

    def _architecture(self, graphs: Sequence[StageGraph]) -> Architecture:
        return Architecture(NAME, tuple(bit for graph in graphs for bit in graph.bits()))


def build(
    *,
    nodes: tuple[Annotated[int, Ge(2)], ...] = (3, 4, 5),
    channels: Annotated[int, Ge(1)] = 8,
    cells_per_stage: Annotated[int, Ge(1)] = 1,
    kernel_size: Annotated[int, Ge(1)] = 5,
) -> GeneticCNN:
    """Return the space of the given stages; the defaults are the published ones for CIFAR-10.

    Raises:
        ValueError: a stage has too many nodes or there is none, or the kernel size is even.
    """
    return GeneticCNN(nodes, channels, cells_per_stage, kernel_size)


@functools.lru_cache(maxsize=16)
def _choices(nodes: tuple[int, ...]) -> tuple[Choice, ...]:
    """Return the choices; kept, since they are asked for at every step."""
    return tuple(
        Choice(f"stage{stage}.{source + 1}->{target + 1}", OPTIONS, group=f"stage{stage}")
        for stage, number in enumerate(nodes)
        for target in range(number)
        for source in range(target)
    )
