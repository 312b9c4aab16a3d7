"""The cell space of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): 423,624 distinct networks."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge

from nas_core.architecture import Architecture, Choice
from nas_core.data.nasbench101_table import read
from nas_core.networks.vertex_cell import VertexCell
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

NAME = "nasbench101"
NUM_VERTICES = 7
MAX_EDGES = 9
MIN_CHANNELS = NUM_VERTICES - 2
IMAGE_SIZE = 32
"""Height and width of the benchmark's images, at which feature tensors count multiply-accumulates."""

OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
KERNEL_AREAS = (9, 1, 0)
EDGES = tuple((source, target) for target in range(NUM_VERTICES) for source in range(target))
"""Edges (from, to) in the order of the choices: the upper triangle of the adjacency matrix, column by column."""

NUM_EDGES = len(EDGES)
CHOICES = (
    *(Choice(f"{source}->{target}", ("absent", "present"), group="edges") for source, target in EDGES),
    *(Choice(f"vertex {vertex}", OPERATIONS, group="vertices") for vertex in range(1, NUM_VERTICES - 1)),
)


@dataclass(frozen=True)
class NASBench101:
    """The cell space in a skeleton of a given size.

    A member is any graph over 7 vertices that, pruned, leads from its input to its output by at most 9 edges; many
    members stand for one network.

    Attributes:
        channels: channels of the first stage; each further stage doubles them.
        cells_per_stage: copies of the cell in each stage.
        num_stages: stages, with max pooling between two.
    """

    channels: int = 128
    cells_per_stage: int = 3
    num_stages: int = 3

    def __post_init__(self) -> None:
        if self.channels < MIN_CHANNELS or min(self.cells_per_stage, self.num_stages) < 1:
            raise ValueError(
                f"{self} is not a space; cells_per_stage and num_stages are at least 1, and channels at least "
                f"{MIN_CHANNELS}, since so many vertices may share them"
            )

    @property
    def name(self) -> str:
        """Name of the space, the same for every size of the skeleton."""
        return NAME

    @property
    def choices(self) -> tuple[Choice, ...]:
        """21 edges, column by column, and the operations of 5 inner vertices."""
        return CHOICES

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether something leads from the input to the output, by at most 9 edges once it is pruned."""
        made = architecture.decisions
        if architecture.space != NAME or len(made) != len(CHOICES):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(made, CHOICES, strict=True)):
            return False
        pruned = _cell(made).pruned()
        return pruned is not None and pruned.num_edges <= MAX_EDGES

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the least graph, by its bits, of those that prune to the same cell but for the order of vertices.

        Exact; the classes are those of the published hash. Vertices that were pruned stand, without edges and with the
        first operation, before the output.
        """
        return _canonical(architecture.decisions)

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best options; where they are no member, the best path and as many of the best edges as may be.

        The best path has the greatest least preference for an edge's presence; then edges whose presence is preferred
        are added, the most preferred first, unless there would be too many.
        """
        made = [max(range(len(row)), key=row.__getitem__) for row in scores]
        best = Architecture(NAME, tuple(made))
        if self.is_valid(best):
            return best
        preference = dict(zip(EDGES, (row[1] - row[0] for row in scores[:NUM_EDGES]), strict=True))
        path = max(_paths(), key=lambda edges: sorted(preference[edge] for edge in edges))
        chosen = set(path)
        for edge in sorted(set(EDGES) - chosen, key=lambda edge: (-preference[edge], edge)):
            if preference[edge] > 0 and self.is_valid(_with_edges(chosen | {edge}, made[NUM_EDGES:])):
                chosen.add(edge)
        return _with_edges(chosen, made[NUM_EDGES:])

    def reference(self) -> Architecture:
        """Return the residual block of ResNet: two 3x3 convolutions beside a projection."""
        return self.from_name("1" + "01" + "101,00")

    def to_name(self, architecture: Architecture) -> str:
        """Return the graph as ``bits,operations``: the adjacency matrix above its diagonal, column by column.

        Operations are digits, as in `OPERATIONS`. The benchmark itself names only classes, by their hashes, of which
        none tells the graph.
        """
        digits = "".join(map(str, architecture.decisions))
        return f"{digits[:NUM_EDGES]},{digits[NUM_EDGES:]}"

    def from_name(self, name: str) -> Architecture:
        """Return the architecture of a graph of at most 7 vertices, written as ``bits,operations``.

        Raises:
            ValueError: if the text names no member.
        """
        bits, comma, operations = name.partition(",")
        try:
            if not comma or not set(bits) <= {"0", "1"} or not set(operations) <= {"0", "1", "2"}:
                raise ValueError("another digit, or no comma")
            cell = VertexCell.from_bits([int(bit) for bit in bits], [int(digit) for digit in operations])
            architecture = _architecture(cell.widened(NUM_VERTICES))
        except (ValueError, IndexError):
            architecture = Architecture(NAME, ())
        if not self.is_valid(architecture):
            raise ValueError(
                f"{name!r} names no cell of NAS-Bench-101; write the bits of the adjacency matrix above the diagonal, "
                "column by column, a comma, and a digit from 0 to 2 an inner vertex, as 101101,00"
            )
        return architecture

    def path_encoding(self, architecture: Architecture) -> tuple[int, ...]:
        """Return one bit for each sequence of operations from the input to the output: 1 + 3 + ... + 3^5 = 364 bits.

        White et al. 2021 (BANANAS, arXiv:1910.11858); shorter sequences come first.
        """
        bits = [0] * len(_places())
        for path in _pruned(architecture).paths():
            bits[_places()[path]] = 1
        return tuple(bits)

    def feature_tensor(self, architecture: Architecture) -> tuple[tuple[tuple[float, ...], ...], ...]:
        """Return 1 + 2 * (number of cells) matrices over the 7 vertices: entry (i, j) is about j, if i leads to it.

        Xu et al. 2021 (ReNAS, arXiv:1910.01523): the first is the type of the vertex (1 to 3 as in `OPERATIONS`, 4 the
        output); then follow, for each cell of the network, the multiply-accumulates on an image of 32 x 32 and the
        weights of the vertex, small cells being padded with zeros before the output. What the paper leaves open: the
        projections from the input count for the vertex that they lead to; the canonical cell is encoded.
        """
        canonical = self.canonical(architecture)
        padded, cell = _cell(canonical.decisions), _pruned(canonical)
        num_inner = cell.num_vertices - 2
        channels = [_matrix(padded, [0, *(operation + 1 for operation in padded.operations), len(OPERATIONS) + 1])]
        before = self.channels
        for stage, number in itertools.product(range(self.num_stages), range(self.cells_per_stage)):
            after, size = self.channels * 2**stage, -(-IMAGE_SIZE // 2**stage)
            widths = cell.channels(after if number else before, after)
            weights = [
                widths[0] * widths[vertex] * cell.has_edge(0, vertex)
                + (KERNEL_AREAS[cell.operations[vertex - 1]] * widths[vertex] ** 2 if vertex <= num_inner else 0)
                for vertex in range(1, cell.num_vertices)
            ]
            vector = [0, *weights[:-1], *(0,) * (NUM_VERTICES - 2 - num_inner), weights[-1]]
            channels += [_matrix(padded, [size * size * weight for weight in vector]), _matrix(padded, vector)]
            before = after
        return tuple(channels)

    def cell_graph(self, architecture: Architecture) -> tuple[tuple[float, ...], ...]:
        """Return (7, 7 + 5): the vertices of the canonical cell, pruned ones being zeros; see `HasCellGraph`.

        Labels are input, output, then `OPERATIONS`.
        """
        canonical = self.canonical(architecture)
        cell, num_inner = _cell(canonical.decisions), _pruned(canonical).num_vertices - 2
        labels = (0, *(operation + 2 for operation in cell.operations), 1)
        used = [vertex <= num_inner or vertex == NUM_VERTICES - 1 for vertex in range(NUM_VERTICES)]
        return tuple(
            (
                *(float(i < j and cell.has_edge(i, j)) for j in range(NUM_VERTICES)),
                *(float(used[i] and labels[i] == label) for label in range(len(OPERATIONS) + 2)),
            )
            for i in range(NUM_VERTICES)
        )

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> NASBench101:
        """Return the space with channels times `width` and cells a stage times `depth`, rounded up, if possible."""
        return replace(
            self,
            channels=max(MIN_CHANNELS, math.ceil(round(self.channels * width, 9))),
            cells_per_stage=max(1, math.ceil(round(self.cells_per_stage * depth, 9))),
        )

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized stand-alone network of a cell, on the CPU.

        Follows the authors' code but for the initial weights, which are torch's default.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        from nas_core.networks.initialization import initialized
        from nas_core.networks.vertex_network import VertexNetwork

        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no cell of {NAME}; give 21 edges and 5 operations that are valid")
        cell = _pruned(self.canonical(architecture))

        def make() -> nn.Module:
            return VertexNetwork(
                task,
                cell,
                channels=self.channels,
                num_stages=self.num_stages,
                cells_per_stage=self.cells_per_stage,
            )

        return initialized(make, init)


class NASBench101Members:
    """The space restricted to the cells of a table, each in the one form in which the table writes it.

    It is too sparse for changes of single choices, so that it lists its members and their nearest.
    """

    def __init__(self, whole: NASBench101, cells: Sequence[VertexCell], num_neighbors: int) -> None:
        """Keep the members.

        Args:
            whole: the space that is restricted.
            cells: of different networks, at least two, all members of it.
            num_neighbors: see `build`.

        Raises:
            ValueError: if they are fewer, or not members.
        """
        members = tuple(_architecture(cell.widened(NUM_VERTICES)) for cell in cells)
        if len(members) < 2 or not all(map(whole.is_valid, members)):
            raise ValueError(f"{len(members)} cells were given; give at least two, all members of {NAME}")
        self._whole = whole
        self._members = members
        self._decisions = np.array([member.decisions for member in members], dtype=np.int8)
        self._is_member = frozenset(members)
        self._num_neighbors = min(num_neighbors, len(members) - 1)
        self._nearest: dict[Architecture, tuple[Architecture, ...]] = {}
        self.name = whole.name
        self.choices = whole.choices
        self.to_name = whole.to_name
        self.path_encoding = whole.path_encoding
        self.feature_tensor = whole.feature_tensor
        self.cell_graph = whole.cell_graph
        self.network = whole.network

    def members(self) -> tuple[Architecture, ...]:
        """Return the cells of the table, in its order."""
        return self._members

    def nearest(self, architecture: Architecture) -> tuple[Architecture, ...]:
        """Return the other members that differ in the fewest edges and operations, the nearest first.

        Of equally near ones those come first that stand first in the table, which its hashes bring into no order.
        """
        if architecture not in self._nearest:
            distances = (self._decisions != np.array(architecture.decisions, dtype=np.int8)).sum(axis=1)
            distances[distances == 0] = len(CHOICES) + 1
            places = np.argsort(distances, kind="stable")[: self._num_neighbors].tolist()
            self._nearest[architecture] = tuple(self._members[place] for place in places)
        return self._nearest[architecture]

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether the architecture is a cell of the table, written as there."""
        return architecture in self._is_member

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture: of each network there is one member."""
        return architecture

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best options if they are a member, else the member whose decisions have the greatest sum."""
        best = Architecture(NAME, tuple(max(range(len(row)), key=row.__getitem__) for row in scores))
        if best in self._is_member:
            return best
        chosen = [np.asarray(row)[self._decisions[:, place]] for place, row in enumerate(scores)]
        return self._members[int(np.sum(chosen, axis=0).argmax())]

    def from_name(self, name: str) -> Architecture:
        """Return the architecture of a graph, as in the whole space; ValueError if it is not in the table."""
        architecture = self._whole.from_name(name)
        if architecture not in self._is_member:
            raise ValueError(f"{name!r} is not in the table; ask for a cell as the table writes it")
        return architecture


def build(
    *,
    channels: Annotated[int, Ge(5)] = 128,
    cells_per_stage: Annotated[int, Ge(1)] = 3,
    num_stages: Annotated[int, Ge(1)] = 3,
    table: str | None = None,
    num_neighbors: Annotated[int, Ge(1)] = 18,
) -> NASBench101 | NASBench101Members:
    """Return the space in a skeleton of the given size; the defaults are the benchmark's.

    Args:
        channels: of the first stage.
        cells_per_stage: copies of the cell in each stage.
        num_stages: stages.
        table: path of a table of the benchmark to whose cells the space is restricted; None for the whole space.
        num_neighbors: how many other members are the neighbors of one where the space is restricted. In the whole space
            one edit leads from a cell to 18 other networks on average. With the few nearest alone, evolution goes round
            in a circle: among 20,001 cells a child of 150 was one of 19 different cells.

    Raises:
        FileNotFoundError: there is no such table.
        ValueError: the table is damaged or of another kind.
    """
    whole = NASBench101(channels, cells_per_stage, num_stages)
    if table is None:
        return whole
    return NASBench101Members(whole, [row.cell for row in read(Path(table))], num_neighbors)


def _cell(decisions: Sequence[int]) -> VertexCell:
    return VertexCell.from_bits(decisions[:NUM_EDGES], decisions[NUM_EDGES:])


def _architecture(cell: VertexCell) -> Architecture:
    return Architecture(NAME, (*cell.bits(), *cell.operations))


def _pruned(architecture: Architecture) -> VertexCell:
    pruned = _cell(architecture.decisions).pruned()
    if pruned is None:
        raise ValueError(f"{architecture.key} leads from its input nowhere; give a member of {NAME}")
    return pruned


@functools.lru_cache(maxsize=2**16)
def _canonical(decisions: tuple[int, ...]) -> Architecture:
    """Return the canonical form; kept, since searches ask for the same ones again and again."""
    return _architecture(_pruned(Architecture(NAME, decisions)).canonical().widened(NUM_VERTICES))


@functools.cache
def _paths() -> tuple[tuple[tuple[int, int], ...], ...]:
    """Return all 32 paths from the input to the output, as edges."""
    inner = range(1, NUM_VERTICES - 1)
    return tuple(
        tuple(itertools.pairwise((0, *visited, NUM_VERTICES - 1)))
        for length in range(len(inner) + 1)
        for visited in itertools.combinations(inner, length)
    )


@functools.cache
def _places() -> dict[tuple[int, ...], int]:
    """Return the place of each sequence of operations in the path encoding."""
    sequences = (
        sequence
        for length in range(NUM_VERTICES - 1)
        for sequence in itertools.product(range(len(OPERATIONS)), repeat=length)
    )
    return {sequence: place for place, sequence in enumerate(sequences)}


def _with_edges(edges: set[tuple[int, int]], operations: Sequence[int]) -> Architecture:
    return Architecture(NAME, (*(int(edge in edges) for edge in EDGES), *operations))


def _matrix(cell: VertexCell, vector: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Return the adjacency matrix with each column multiplied by the value of its vertex."""
    return tuple(
        tuple(float(vector[j]) if i < j and cell.has_edge(i, j) else 0.0 for j in range(NUM_VERTICES))
        for i in range(NUM_VERTICES)
    )
