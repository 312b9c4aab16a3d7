"""The cell space of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326): 15,625 cells, 6,466 distinct networks."""

from __future__ import annotations

import functools
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas_core.architecture import Architecture, Choice
from nas_core.space import LocatedOperation
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.networks.skeleton import Skeleton
    from nas_core.weight_sharing.supernet import Mixing

NAME = "nasbench201"
OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NUM_NODES = 4
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""Edges (from, to) in the order of the official string, which is that of the choices."""

PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""The paths from the input to the output, as indices of edges, by length."""

KERNEL_AREAS: Mapping[str, int] = MappingProxyType({"nor_conv_1x1": 1, "nor_conv_3x3": 9})
IMAGE_SIZE = 32
"""Height and width of the benchmark's images, at which feature tensors count multiply-accumulates."""

CHOICES = tuple(Choice(f"{source}->{target}", OPERATIONS, group="cell") for source, target in EDGES)
NAME_PATTERN = re.compile(
    r"\+".join(
        r"\|" + "".join(rf"(\w+)~{source}\|" for source, edge_target in EDGES if edge_target == target)
        for target in range(1, NUM_NODES)
    )
)


@dataclass(frozen=True)
class NASBench201:
    """The cell space in a skeleton of a given size.

    Attributes:
        channels: channels of the first stage; each further stage doubles them.
        cells_per_stage: copies of the cell in each stage.
        num_stages: stages, with a residual reduction block between two.
    """

    channels: int = 16
    cells_per_stage: int = 5
    num_stages: int = 3

    def __post_init__(self) -> None:
        if min(self.channels, self.cells_per_stage, self.num_stages) < 1:
            raise ValueError(f"{self} is not a space; channels, cells_per_stage and num_stages are at least 1")

    @property
    def name(self) -> str:
        """Name of the space, the same for every size of the skeleton."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take."""
        return "images"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """One choice an edge, in the order of the official string."""
        return CHOICES

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether the architecture is one of the 15,625 cells."""
        decisions = architecture.decisions
        return (
            architecture.space == NAME
            and len(decisions) == len(EDGES)
            and min(decisions) >= 0
            and max(decisions) < len(OPERATIONS)
        )

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the least cell (by its decisions) of those that the benchmark calls the same network.

        Follows the paper's rule, by which there are 6,466 networks: the expression of the output node, in which none is
        dropped as zero, skip_connect is the identity, and the terms of a sum are sorted. The rule does not see that a
        sum of zeros is zero, nor that a sum in a sum is one sum.
        """
        return _representatives()[architecture.decisions]

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the cell of the best option on every edge; every cell is valid, and a tie goes to the first option."""
        return Architecture(NAME, tuple(max(range(len(row)), key=row.__getitem__) for row in scores))

    def reference(self) -> Architecture:
        """Return the residual block of ResNet, as the benchmark writes it."""
        return self.from_name("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|skip_connect~2|")

    def to_name(self, architecture: Architecture) -> str:
        """Return the official string, as ``|nor_conv_3x3~0|+|none~0|...|``."""
        terms = [
            f"{OPERATIONS[decision]}~{source}|"
            for (source, _), decision in zip(EDGES, architecture.decisions, strict=True)
        ]
        return f"|{terms[0]}+|{''.join(terms[1:3])}+|{''.join(terms[3:])}"

    def from_name(self, name: str) -> Architecture:
        """Return the architecture of an official string.

        Raises:
            ValueError: if the text is none.
        """
        match = NAME_PATTERN.fullmatch(name)
        if match is None or not set(match.groups()) <= set(OPERATIONS):
            raise ValueError(
                f"{name!r} names no cell of NAS-Bench-201; write |op~0|+|op~0|op~1|+|op~0|op~1|op~2| with op one of "
                f"{', '.join(OPERATIONS)}"
            )
        return Architecture(NAME, tuple(map(OPERATIONS.index, match.groups())))

    def path_encoding(self, architecture: Architecture) -> tuple[int, ...]:
        """Return one bit for each sequence of operations from the input to the output: 5 + 25 + 125 bits, short first.

        White et al. 2021 (BANANAS, arXiv:1910.11858). Follows the authors' code: a bit says that some path carries that
        sequence, whichever nodes it visits, and none counts as an operation. Differs from it: the canonical cell is
        encoded, so that equal networks have equal bits.
        """
        decisions = self.canonical(architecture).decisions
        bits = [0] * sum(len(OPERATIONS) ** length for length in range(1, NUM_NODES))
        for path in PATHS:
            place = 0
            for edge in path:
                place = place * len(OPERATIONS) + decisions[edge]
            bits[sum(len(OPERATIONS) ** length for length in range(1, len(path))) + place] = 1
        return tuple(bits)

    def feature_tensor(self, architecture: Architecture) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """Return (1 + 2 num_stages) matrices over the 4 nodes: entry (i, j) is about the operation from i to j.

        The first is the type, numbered as in `OPERATIONS`, so that none is 0; then follow, stage by stage, the
        multiply-accumulates on an image of 32 x 32 and the weights of the convolution, 0 of other operations.

        Carries over what ReNAS (Xu et al. 2021, arXiv:1910.01523) does with cells that have operations on their
        vertices. Differs: the cells of a stage being equal, one stands for all; and the canonical cell is encoded, so
        that equal networks have equal tensors.
        """
        decisions = self.canonical(architecture).decisions
        areas = [KERNEL_AREAS.get(OPERATIONS[decision], 0) for decision in decisions]
        channels = [_matrix(decisions)]
        for stage in range(self.num_stages):
            width, size = self.channels * 2**stage, -(-IMAGE_SIZE // 2**stage)
            weights = [area * width * width for area in areas]
            channels += [_matrix([size * size * number for number in weights]), _matrix(weights)]
        return tuple(channels)

    def cell_graph(self, architecture: Architecture) -> tuple[tuple[float, ...], ...]:
        """Return (8, 8 + 6): the input, the operations in the order of `EDGES`, and the output; see `HasCellGraph`.

        An operation leads to those that take its node. Labels are input, output, then `OPERATIONS` without none, whose
        vertices have zeros alone. The canonical cell is encoded.
        """
        decisions = self.canonical(architecture).decisions
        ends = ((-1, 0), *EDGES, (NUM_NODES - 1, NUM_NODES))
        labels = (0, *(decision + 1 for decision in decisions), 1)
        present = [True, *(decision > 0 for decision in decisions), True]
        edges = {
            (i, j)
            for i, j in itertools.product(range(len(ends)), repeat=2)
            if present[i] and present[j] and ends[i][1] == ends[j][0]
        }
        reached, leading = {0}, {len(ends) - 1}
        for _ in range(NUM_NODES):
            reached |= {j for i, j in edges if i in reached}
            leading |= {i for i, j in edges if j in leading}
        used = (reached & leading) | {0, len(ends) - 1}
        return tuple(
            (
                *(float((i, j) in edges and i in used and j in used) for j in range(len(ends))),
                *(float(i in used and labels[i] == label) for label in range(len(OPERATIONS) + 1)),
            )
            for i in range(len(ends))
        )

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> NASBench201:
        """Return the space with channels times `width` and cells a stage times `depth`, rounded up, at least 1."""
        return replace(
            self,
            channels=_times(self.channels, width),
            cells_per_stage=_times(self.cells_per_stage, depth),
        )

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized stand-alone network of a cell, on the CPU; edges with none are not computed.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no cell of {NAME}; give 6 decisions from 0 to 4")

        def edge(index: int, channels: int) -> nn.Module:
            return _operation(OPERATIONS[architecture.decisions[index]], channels, affine=True)

        return self._skeleton(task, init, edge)

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> Skeleton:
        """Return the supernet, on the CPU, called as ``supernet(inputs, gates)``; all cells share the six gates.

        Raises:
            ValueError: the task is not image classification, or `mixing` asks for a fraction of too few channels.
        """
        from nas_core.networks.mixed import MixedOperation
        from nas_core.weight_sharing.supernet import Mixing

        chosen = Mixing() if mixing is None else mixing
        options = [functools.partial(_operation, operation, affine=chosen.affine) for operation in OPERATIONS]

        def edge(index: int, channels: int) -> nn.Module:
            return MixedOperation(index, options, channels, chosen)

        return self._skeleton(task, init, edge)

    def located_operations(self, task: TaskShape) -> dict[str, LocatedOperation]:
        """Return the operations on edges at the shape of each stage, and the parts of the skeleton."""
        from nas_core.networks.skeleton_operations import at

        found = {key: operation for key, (operation, _) in self._skeleton_operations(task).items()}
        for shape in self._stage_shapes(task):
            for name in OPERATIONS:
                make = functools.partial(_operation, name, shape[0], affine=True)
                found[at(name, shape)] = LocatedOperation(shape, make)
        return found

    def fixed_counts(self, task: TaskShape) -> dict[str, int]:
        """Return how often every network runs the parts of the skeleton."""
        return {key: number for key, (_, number) in self._skeleton_operations(task).items()}

    def option_counts(self, task: TaskShape) -> tuple[tuple[dict[str, int], ...], ...]:
        """Return for each edge and each operation that it runs once in every cell."""
        from nas_core.networks.skeleton_operations import at

        shapes = self._stage_shapes(task)
        options = tuple({at(name, shape): self.cells_per_stage for shape in shapes} for name in OPERATIONS)
        return (options,) * len(EDGES)

    def operation_counts(self, architecture: Architecture, task: TaskShape) -> dict[str, int]:
        """Return how often the network of a cell runs each operation; those that reach no output are run too."""
        counts = Counter(self.fixed_counts(task))
        for options, decision in zip(self.option_counts(task), architecture.decisions, strict=True):
            counts.update(options[decision])
        return dict(counts)

    def _stage_shapes(self, task: TaskShape) -> tuple[tuple[int, int, int], ...]:
        from nas_core.networks.skeleton_operations import stage_shapes

        return stage_shapes(task, self.channels, self.num_stages)

    def _skeleton_operations(self, task: TaskShape) -> dict[str, tuple[LocatedOperation, int]]:
        from nas_core.networks.skeleton_operations import skeleton_operations

        num_additions = len(EDGES) - (NUM_NODES - 1)
        return skeleton_operations(task, self.channels, self.num_stages, self.cells_per_stage, num_additions)

    def _skeleton(self, task: TaskShape, init: torch.Generator, edge: Callable[[int, int], nn.Module]) -> Skeleton:
        """Return the one skeleton of stand-alone networks and supernets; `edge` gets an edge's index and channels."""
        from nas_core.networks.cell import DenseCell
        from nas_core.networks.initialization import initialized
        from nas_core.networks.skeleton import Skeleton

        def cell(channels: int) -> nn.Module:
            return DenseCell(NUM_NODES, lambda index: edge(index, channels))

        def make() -> Skeleton:
            return Skeleton(
                task,
                channels=self.channels,
                num_stages=self.num_stages,
                cells_per_stage=self.cells_per_stage,
                cell=cell,
            )

        return initialized(make, init)


def build(
    *,
    channels: Annotated[int, Ge(1)] = 16,
    cells_per_stage: Annotated[int, Ge(1)] = 5,
    num_stages: Annotated[int, Ge(1)] = 3,
) -> NASBench201:
    """Return the space in a skeleton of the given size; the defaults are the benchmark's."""
    return NASBench201(channels, cells_per_stage, num_stages)


def _matrix(values: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return a matrix over the nodes with a value for each edge, and 0 where there is none."""
    found = dict(zip(EDGES, values, strict=True))
    return tuple(tuple(float(found.get((i, j), 0)) for j in range(NUM_NODES)) for i in range(NUM_NODES))


def _times(count: int, factor: float) -> int:
    """Return the product rounded up, at least 1; the noise of floating point does not count, as in 10 * 1.1."""
    return max(1, math.ceil(round(count * factor, 9)))


def _operation(operation: str, channels: int, *, affine: bool) -> nn.Module:
    """Return an operation that keeps (batch, channels, height, width)."""
    from torch import nn

    from nas_core.networks.operations import ReluConvBatchNorm, Zero

    match operation:
        case "none":
            return Zero()
        case "skip_connect":
            return nn.Identity()
        case "nor_conv_1x1":
            return ReluConvBatchNorm(channels, channels, 1, affine=affine)
        case "nor_conv_3x3":
            return ReluConvBatchNorm(channels, channels, 3, affine=affine)
        case _:
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)


def _expression(decisions: Sequence[int]) -> str:
    """Return the expression of the output node by which the benchmark tells networks apart."""
    nodes = ["0"]
    for target in range(1, NUM_NODES):
        terms = []
        for (source, edge_target), decision in zip(EDGES, decisions, strict=True):
            if edge_target == target:
                operation = OPERATIONS[decision]
                if operation == "none" or nodes[source] == "#":
                    terms.append("#")
                elif operation == "skip_connect":
                    terms.append(nodes[source])
                else:
                    terms.append(f"({nodes[source]})@{operation}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


@functools.cache
def _representatives() -> Mapping[tuple[int, ...], Architecture]:
    """Return the canonical cell of every cell, worked out on first use (about 50 ms)."""
    first: dict[str, Architecture] = {}
    return {
        decisions: first.setdefault(_expression(decisions), Architecture(NAME, decisions))
        for decisions in itertools.product(range(len(OPERATIONS)), repeat=len(EDGES))
    }
