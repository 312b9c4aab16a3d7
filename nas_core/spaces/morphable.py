"""Chains of convolution blocks that network morphisms lead through (Elsken, Metzen & Hutter 2017, arXiv:1711.04528).

A stage is a chain of blocks: a convolution, batch normalization, ReLU, and perhaps a skip connection. Between stages,
max pooling halves height and width and the channels of width 1 double; at the end stand global average pooling and a
linear classifier. How many blocks a stage has, and of each the operation, the width and the skip connection, are the
choices. The first options make the smallest network, at which searches by morphisms start.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge

from nas_core.architecture import Architecture, Choice, active
from nas_core.networks.chain import OPERATIONS, Block, Chain, ChainLimits, Morphism, OperationName, possible_skips
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from nas_core.networks.chain_network import ChainNetwork

NAME = "morphable"


@dataclass(frozen=True)
class Morphable:
    """The chains of blocks within limits, in networks of a given width.

    Changes that preserve the function, of what a trained network computes in evaluation mode (`morphisms`):

    - ``deepen``: a new block behind a block, which is the identity.
    - ``widen``: more filters of a block, random ones, which nothing after them listens to yet (NASH's type II).
    - ``enlarge``: a 5x5 kernel in place of a 3x3 one, with zeros around it.
    - ``merge``: a full convolution in place of a separable one, whose product it is.
    - ``skip``: a skip connection by addition, weighted with zero, or by concatenation, to which the convolution does
      not listen yet.

    Changes that shrink it (`approximate_morphisms`; Elsken, Metzen & Hutter 2019, LEMONADE, arXiv:1804.09081):

    - ``remove``: a block goes, and the next one takes its input (which may have more channels than what it took).
    - ``prune``: the filters of largest norm stay.
    - ``separate``: a separable convolution in place of a full one, the nearest in least squares.
    - ``unskip``: a skip connection goes.

    Differs from the papers: `merge` is not in them; filters are added and pruned by steps in a list of widths (NASH:
    twice or four times as many; LEMONADE: a half or a quarter fewer); kernels grow by a morphism of their own, as in
    Wei et al. 2016 (arXiv:1603.01670); a separable convolution starts from the least squares and not from scratch.

    Attributes:
        channels: of a block of width 1 in the first stage; each further stage doubles them.
        num_stages: stages.
        max_blocks: most blocks of a stage.
        widths: of a block, as multiples of its stage's channels; increasing.
        operations: of a block.
        depth: how often the blocks of each stage are repeated; only 1 inherits weights.
    """

    channels: int = 16
    num_stages: int = 3
    max_blocks: int = 4
    widths: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0)
    operations: tuple[str, ...] = OPERATIONS
    depth: float = 1.0

    def __post_init__(self) -> None:
        if min(self.channels, self.num_stages, self.max_blocks) < 1 or not 0 < self.depth < math.inf:
            raise ValueError(
                f"{self} is not a space; channels, num_stages and max_blocks are at least 1, depth above 0"
            )
        increasing = all(first < second for first, second in itertools.pairwise((0.0, *self.widths, math.inf)))
        if not self.widths or not increasing or any(float(f"{width:g}") != width for width in self.widths):
            raise ValueError(f"widths are {self.widths}; give increasing multiples above 0, as [1, 1.5, 2]")
        if not self.operations or not set(self.operations) <= set(OPERATIONS):
            raise ValueError(f"operations are {self.operations}; give at least one of {', '.join(OPERATIONS)}")
        if len(set(self.operations)) < len(self.operations):
            raise ValueError(f"operations are {self.operations}; name each once")

    @property
    def name(self) -> str:
        """Name of the space, the same for all limits."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take."""
        return "images"

    @property
    def choices(self) -> tuple[Choice, ...]:
        """For each stage its depth, and for each of its blocks the operation, the width and the skip connection."""
        return _choices(self.num_stages, self.max_blocks, self.widths, self.operations)

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether every decision is an option of its choice, and 0 where the choice does not matter."""
        decisions, choices = architecture.decisions, self.choices
        if architecture.space != NAME or len(decisions) != len(choices):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(decisions, choices, strict=True)):
            return False
        return self._without_inactive(decisions) == decisions

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the architecture: all of them are different networks."""
        return architecture

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best options; a tie goes to the first, and choices that do not matter get 0."""
        best = tuple(max(range(len(row)), key=row.__getitem__) for row in scores)
        return Architecture(NAME, self._without_inactive(best))

    def reference(self) -> Architecture:
        """Return a residual network: in each stage a block, then pairs of blocks with an addition around each pair."""
        width, operation = self.widths[0], self.operations[0]
        blocks = tuple(
            Block(operation, width, "add_2" if place and place % 2 == 0 else "none")
            for place in range(self.max_blocks - (self.max_blocks > 1 and self.max_blocks % 2 == 0))
        )
        return self._architecture((blocks,) * self.num_stages)

    def morphisms(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the function-preserving changes that apply, as ``action:place`` or ``action:place:what``."""
        return tuple(morphism.name for morphism in self._limits.preserving(self._chain(architecture)))

    def approximate_morphisms(self, architecture: Architecture) -> tuple[str, ...]:
        """Return the changes that make it smaller, written in the same way."""
        return tuple(morphism.name for morphism in self._limits.approximate(self._chain(architecture)))

    def morphed(self, architecture: Architecture, morphism: str) -> Architecture:
        """Return what a change makes of an architecture; ValueError if it does not apply."""
        chain = self._chain(architecture)
        return self._architecture(self._morphism(chain, morphism).changed(chain))

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> Morphable:
        """Return the space with channels times `width`, rounded up, and each stage's blocks repeated `depth` times."""
        return replace(self, channels=max(1, math.ceil(round(self.channels * width, 9))), depth=self.depth * depth)

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> nn.Module:
        """Return the freshly initialized network of a chain, on the CPU.

        Raises:
            ValueError: the architecture is no member, or the task is not image classification.
        """
        return self._network(self._chain(architecture), task, init)

    def transfer(
        self, parent: nn.Module, architecture: Architecture, morphism: str, task: TaskShape, init: torch.Generator
    ) -> nn.Module:
        """Return the network that a change makes of a trained parent, which stays as it is; on the CPU.

        See `nas_core.networks.chain_transfer`.

        Raises:
            ValueError: the change does not apply, or the parent is not the architecture's network.
        """
        from nas_core.networks.chain_network import ChainNetwork
        from nas_core.networks.chain_transfer import inherit

        chain = self._chain(architecture)
        change = self._morphism(chain, morphism)
        if not (
            isinstance(parent, ChainNetwork)
            and parent.chain == chain
            and tuple(each[1:] for each in parent.channels) == self._widths(chain)
        ):
            raise ValueError(
                f"the parent is not the network of {architecture.key} in this space, in which no block is repeated; "
                "give the one that the space built"
            )
        child = self._network(change.changed(chain), task, init)
        inherit(child, parent, change)
        return child

    @property
    def _limits(self) -> ChainLimits:
        return ChainLimits(self.max_blocks, self.widths, self.operations)

    def _network(self, chain: Chain, task: TaskShape, init: torch.Generator) -> ChainNetwork:
        from nas_core.networks.chain_network import ChainNetwork
        from nas_core.networks.initialization import initialized

        repeated = tuple(
            tuple(blocks[place % len(blocks)] for place in range(math.ceil(round(len(blocks) * self.depth, 9))))
            for blocks in chain
        )
        return initialized(lambda: ChainNetwork(task, repeated, self._widths(repeated)), init)

    def _widths(self, chain: Chain) -> tuple[tuple[int, ...], ...]:
        """Return the filters of each block."""
        return tuple(
            tuple(math.ceil(round(self.channels * 2**stage * block.width, 9)) for block in blocks)
            for stage, blocks in enumerate(chain)
        )

    def _morphism(self, chain: Chain, name: str) -> Morphism:
        for morphism in itertools.chain(self._limits.preserving(chain), self._limits.approximate(chain)):
            if morphism.name == name:
                return morphism
        raise ValueError(
            f"morphism {name!r} does not apply; ask morphisms() and approximate_morphisms() of the architecture"
        )

    def _without_inactive(self, decisions: Sequence[int]) -> tuple[int, ...]:
        flags = active(self.choices, decisions)
        return tuple(decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True))

    def _chain(self, architecture: Architecture) -> Chain:
        """Return what an architecture describes.

        Raises:
            ValueError: it is no member.
        """
        if not self.is_valid(architecture):
            raise ValueError(f"{architecture.key} is no member of space {NAME!r}; give one decision for each choice")
        decisions = iter(architecture.decisions)
        chain = []
        for _ in range(self.num_stages):
            num_blocks = next(decisions) + 1
            blocks = [
                Block(
                    self.operations[next(decisions)],
                    self.widths[next(decisions)],
                    possible_skips(place)[next(decisions) if place else 0],
                )
                for place in range(self.max_blocks)
            ]
            chain.append(tuple(blocks[:num_blocks]))
        return tuple(chain)

    def _architecture(self, chain: Chain) -> Architecture:
        decisions: list[int] = []
        for blocks in chain:
            decisions.append(len(blocks) - 1)
            for place in range(self.max_blocks):
                made = [0, 0, 0]
                if place < len(blocks):
                    block = blocks[place]
                    made = [
                        self.operations.index(block.operation),
                        self.widths.index(block.width),
                        possible_skips(place).index(block.skip),
                    ]
                decisions.extend(made if place else made[:2])
        return Architecture(NAME, tuple(decisions))


@functools.lru_cache(maxsize=16)
def _choices(
    num_stages: int, max_blocks: int, widths: tuple[float, ...], operations: tuple[str, ...]
) -> tuple[Choice, ...]:
    """Return the choices; kept, since they are asked for at every step."""
    found = []
    for stage in range(num_stages):
        depth = Choice(f"stage{stage}.depth", tuple(map(str, range(1, max_blocks + 1))), group=f"stage{stage}")
        found.append(depth)
        for place in range(max_blocks):
            name = f"stage{stage}.block{place}"
            condition = (depth.name, depth.options[place:]) if place else None
            found.append(Choice(f"{name}.operation", operations, depth.group, condition))
            found.append(Choice(f"{name}.width", tuple(f"{width:g}" for width in widths), depth.group, condition))
            if place:
                found.append(Choice(f"{name}.skip", possible_skips(place), depth.group, condition))
    return tuple(found)


def build(
    *,
    channels: Annotated[int, Ge(1)] = 16,
    num_stages: Annotated[int, Ge(1)] = 3,
    max_blocks: Annotated[int, Ge(1)] = 4,
    widths: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0, 4.0),
    operations: tuple[OperationName, ...] = ("conv_3x3", "conv_5x5", "sep_conv_3x3", "sep_conv_5x5"),
) -> Morphable:
    """Return the space within the given limits; see `Morphable`.

    Raises:
        ValueError: the widths do not increase, or an operation is named twice.
    """
    return Morphable(channels, num_stages, max_blocks, widths, operations)
