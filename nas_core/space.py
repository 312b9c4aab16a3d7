"""The search space contract, and the capabilities that a space may have besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from nas_core.architecture import Architecture, Choice
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.weight_sharing.supernet import Mixing, Supernet


class SearchSpace(Protocol):
    """A tuple of categorical choices, with validity, a canonical form, and the networks they stand for."""

    @property
    def name(self) -> str:
        """Name of the space; the first part of its architectures' keys."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The choices, in the order of an architecture's decisions."""

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether the architecture is a member of this space."""

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the one representative of all architectures that stand for the same network; idempotent."""

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the valid architecture that a score for every option of every choice asks for.

        Args:
            scores: for each choice, a finite score an option; higher is preferred.
        """

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized stand-alone network, on the CPU.

        Args:
            architecture: a valid member.
            task: what the network takes and gives.
            init: a CPU generator, the only source of the initial weights.
        """


@runtime_checkable
class HasInputs(Protocol):
    """A space that says what its networks take, so that other data are refused before anything is computed."""

    @property
    def inputs(self) -> str:
        """What the networks take, in the word that a learning task's module has as `INPUTS`: images, graphs, nodes."""


@runtime_checkable
class HasSupernet(Protocol):
    """A space all of whose networks live in one network with shared weights."""

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> Supernet:
        """Return the supernet, on the CPU, called as ``supernet(inputs, gates)``; `mixing` None runs every channel."""


@runtime_checkable
class HasInheritance(Protocol):
    """A space with a supernet in which its networks find their weights by a rule of the space's own."""

    def inherited_state(
        self, supernet_state: Mapping[str, torch.Tensor], network: nn.Module
    ) -> Mapping[str, torch.Tensor]:
        """Return what ``network.load_state_dict`` takes, out of a supernet's state; no memory is shared."""


@runtime_checkable
class HasReference(Protocol):
    """A space that names a hand-designed network to compare with."""

    def reference(self) -> Architecture:
        """Return the hand-designed reference network of the space."""


@runtime_checkable
class HasBaselines(Protocol):
    """A space that names more hand-designed networks to compare with than its reference."""

    def baselines(self) -> Mapping[str, Architecture]:
        """Return hand-designed networks by their names in the field, such as "gin"; the reference is not among them."""


@runtime_checkable
class HasVariants(Protocol):
    """A space that knows which part of a network is in question, and what the network is with another in its place."""

    def variants(self, architecture: Architecture) -> Mapping[str, Architecture]:
        """Return networks that differ from it in one respect, by what that is, such as "without pooling".

        One that does not differ stands for itself.
        """


@runtime_checkable
class HasMorphisms(Protocol):
    """A space with changes of an architecture under which a trained network's weights stay of use."""

    def morphisms(self, architecture: Architecture) -> Sequence[str]:
        """Return the names of the function-preserving changes that apply, in a fixed order; they make it larger."""

    def approximate_morphisms(self, architecture: Architecture) -> Sequence[str]:
        """Return the names of the changes that make it smaller and its function only nearly the same."""

    def morphed(self, architecture: Architecture, morphism: str) -> Architecture:
        """Return what a change, of either kind, makes of an architecture; ValueError if it does not apply."""

    def transfer(
        self, parent: nn.Module, architecture: Architecture, morphism: str, task: TaskShape, init: torch.Generator
    ) -> nn.Module:
        """Return the network that a change makes of a trained parent, which stays as it is.

        A function-preserving change gives a network that computes the parent's function, batch statistics included, in
        evaluation mode.

        Args:
            parent: a network of the space.
            architecture: the parent's.
            morphism: a name out of `morphisms` or `approximate_morphisms`.
            task: what the networks take and give.
            init: a CPU generator, the only source of what is random in new weights.
        """


@runtime_checkable
class HasBenchmarkNames(Protocol):
    """A space whose members have official names in a benchmark."""

    def to_name(self, architecture: Architecture) -> str:
        """Return the official name."""

    def from_name(self, name: str) -> Architecture:
        """Return the architecture of an official name; ValueError if it is none."""


@runtime_checkable
class HasScales(Protocol):
    """A space whose networks can be built deeper or wider than they were searched."""

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> SearchSpace:
        """Return the same space with channels and cells a stage multiplied (rounded up, at least 1)."""


@runtime_checkable
class HasPathEncoding(Protocol):
    """A space whose members have a path encoding (White et al. 2021, BANANAS, arXiv:1910.11858)."""

    def path_encoding(self, architecture: Architecture) -> Sequence[int]:
        """Return a 0 or 1 for each possible path of operations from input to output: whether the network has it.

        Shorter paths come first, so that a prefix is the truncated encoding. The length is the same for every member,
        and the bits are the same for all members of equal canonical form.
        """


@runtime_checkable
class HasFeatureTensor(Protocol):
    """A space whose members have a feature tensor (Xu et al. 2021, ReNAS, arXiv:1910.01523)."""

    def feature_tensor(self, architecture: Architecture) -> Sequence[Sequence[Sequence[float]]]:
        """Return channels of square matrices over the vertices of the cell: 0 where there is no connection.

        An entry (i, j) says of the operation that the connection from i to j leads to (or that it is, in a cell with
        operations on its edges) one thing a channel: its type, its multiply-accumulates, its weights. The shape is the
        same for every member, and the values are the same for all members of equal canonical form.
        """


@runtime_checkable
class HasCellGraph(Protocol):
    """A space whose members have a graph of operations."""

    def cell_graph(self, architecture: Architecture) -> Sequence[Sequence[float]]:
        """Return a row a vertex: its row of the adjacency matrix, then its label one-hot.

        Vertices are operations, and edges are directed as data flow. A vertex on no path from the input to the output
        has zeros alone, unless it is one of these two. The shape is the same for every member, and the values are the
        same for all members of equal canonical form.
        """


@runtime_checkable
class HasMembers(Protocol):
    """A space whose members are listed, because changes of single choices hardly ever lead from one to another."""

    def members(self) -> Sequence[Architecture]:
        """Return all members, each once; `variation.sample` draws from them."""

    def nearest(self, architecture: Architecture) -> Sequence[Architecture]:
        """Return its neighbors, which mutation leads to: members that differ from it in few decisions.

        They are at least one, in a fixed order.
        """


@dataclass(frozen=True)
class LocatedOperation:
    """An operation at a place of the networks, so that it can be measured by itself.

    Attributes:
        input_shape: of one example at that place, without the batch.
        make: builds the module, which takes one input.
    """

    input_shape: tuple[int, ...]
    make: Callable[[], nn.Module]


@runtime_checkable
class HasLocatedOperations(Protocol):
    """A space whose networks run one operation after the other, each at a place with a shape of its own."""

    def located_operations(self, task: TaskShape) -> Mapping[str, LocatedOperation]:
        """Return every operation that a network for a task may run, by a key that says where: operation and shape."""

    def operation_counts(self, architecture: Architecture, task: TaskShape) -> Mapping[str, int]:
        """Return how often the network of an architecture runs each operation, by its key.

        What is run counts, whether it reaches the output or not.
        """


@runtime_checkable
class HasAdditiveOperations(HasLocatedOperations, Protocol):
    """A space in which every option of every choice adds operations of its own, whatever else is chosen."""

    def fixed_counts(self, task: TaskShape) -> Mapping[str, int]:
        """Return how often every network runs each operation, whatever is chosen, by its key."""

    def option_counts(self, task: TaskShape) -> Sequence[Sequence[Mapping[str, int]]]:
        """Return for each choice and each of its options how often it makes a network run each operation."""
