"""Chains of convolution blocks in stages, described without their weights, and the changes that morphisms make."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, TypeAlias, get_args

OperationName: TypeAlias = Literal["conv_3x3", "conv_5x5", "sep_conv_3x3", "sep_conv_5x5"]
OPERATIONS: tuple[str, ...] = get_args(OperationName)
SKIPS = ("none", "add_1", "add_2", "concat_1", "concat_2")
ENLARGED: Mapping[str, str] = MappingProxyType({"conv_3x3": "conv_5x5", "sep_conv_3x3": "sep_conv_5x5"})
SEPARATED: Mapping[str, str] = MappingProxyType({"conv_3x3": "sep_conv_3x3", "conv_5x5": "sep_conv_5x5"})
MERGED: Mapping[str, str] = MappingProxyType({separable: dense for dense, separable in SEPARATED.items()})
NUM_STEPS = 2
"""Widths up or down that a single change may go."""


@dataclass(frozen=True, slots=True)
class Block:
    """A convolution, batch normalization and ReLU, with at most one skip connection that ends at it.

    Attributes:
        operation: the convolution, out of `OPERATIONS`.
        width: its filters, as a multiple of the stage's channels; above 0.
        skip: out of `SKIPS`. ``add_N`` adds what came into the chain N blocks before the end of this one, ahead of the
            ReLU; ``concat_N`` lets the convolution see, beside its input, what there was N blocks before.
    """

    operation: str
    width: float
    skip: str = "none"

    def source(self, place: int) -> int | None:
        """Return the block whose input the skip connection starts at, if this block is at `place`; None without one."""
        kind, _, span = self.skip.partition("_")
        return None if kind == "none" else place + (kind == "add") - int(span)

    def skipping(self, difference: int) -> Block:
        """Return the block with a skip connection over so many blocks more; none where it is over no block then."""
        kind, _, span = self.skip.partition("_")
        longer = int(span) + difference
        return replace(self, skip=f"{kind}_{longer}" if longer else "none")


Blocks: TypeAlias = tuple[Block, ...]
Chain: TypeAlias = tuple[Blocks, ...]
"""The blocks of each stage, at least one."""


@dataclass(frozen=True, slots=True)
class Morphism:
    """A change of one stage of a chain.

    Attributes:
        action: out of `PRESERVING` or `APPROXIMATE`.
        stage: the stage, from 0.
        block: the block in it, from 0.
        to: an operation, a width or a skip connection, where the action needs one; else empty.
    """

    action: str
    stage: int
    block: int
    to: str = ""

    @property
    def name(self) -> str:
        """The text form, such as ``widen:stage0.block1:2``; up to the first colon stands the action."""
        return ":".join(filter(None, (self.action, f"stage{self.stage}.block{self.block}", self.to)))

    def changed(self, chain: Chain) -> Chain:
        """Return what it makes of a chain that it applies to."""
        blocks = CHANGES[self.action](chain[self.stage], self.block, self.to)
        return (*chain[: self.stage], blocks, *chain[self.stage + 1 :])


@dataclass(frozen=True, slots=True)
class ChainLimits:
    """What chains there are.

    Attributes:
        max_blocks: in a stage, at least 1.
        widths: of blocks, increasing.
        operations: of blocks.
    """

    max_blocks: int
    widths: tuple[float, ...]
    operations: tuple[str, ...]

    def preserving(self, chain: Chain) -> Iterator[Morphism]:
        """Give the changes under which the function can be preserved; they make the chain larger."""
        return self._changes(chain, PRESERVING)

    def approximate(self, chain: Chain) -> Iterator[Morphism]:
        """Give the changes that make it smaller."""
        return self._changes(chain, APPROXIMATE)

    def _changes(self, chain: Chain, offers: Mapping[str, Offer]) -> Iterator[Morphism]:
        for (action, offer), (stage, blocks) in itertools.product(offers.items(), enumerate(chain)):
            for place in range(len(blocks)):
                for to in offer(self, blocks, place):
                    yield Morphism(action, stage, place, to)


def possible_skips(place: int) -> tuple[str, ...]:
    """Return the skip connections that a block at a place of its stage may have: those that start in the stage."""
    if place == 0:
        return SKIPS[:1]
    return tuple(skip for skip in SKIPS if (Block("", 1.0, skip).source(place) or 0) >= 0)


def _across(blocks: Blocks, place: int) -> frozenset[int]:
    """Return the later blocks whose skip connection starts ahead of the block at a place."""
    sources = {later: blocks[later].source(later) for later in range(place + 1, len(blocks))}
    return frozenset(later for later, source in sources.items() if source is not None and source <= place)


def _deepen(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    """Offer an operation for a new block behind this one, unless a skip connection would become too long."""
    fits = all(blocks[later].skipping(1).skip in SKIPS for later in _across(blocks, place))
    return limits.operations if fits and len(blocks) < limits.max_blocks else ()


def _widen(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    larger = [width for width in limits.widths if width > blocks[place].width]
    return [f"{width:g}" for width in larger[:NUM_STEPS]]


def _enlarge(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return _among(limits.operations, ENLARGED.get(blocks[place].operation))


def _merge(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return _among(limits.operations, MERGED.get(blocks[place].operation))


def _skip(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return possible_skips(place)[1:] if blocks[place].skip == "none" else ()


def _remove(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return ("",) if len(blocks) > 1 else ()


def _prune(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    smaller = [width for width in reversed(limits.widths) if width < blocks[place].width]
    return [f"{width:g}" for width in smaller[:NUM_STEPS]]


def _separate(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return _among(limits.operations, SEPARATED.get(blocks[place].operation))


def _unskip(limits: ChainLimits, blocks: Blocks, place: int) -> Sequence[str]:
    return () if blocks[place].skip == "none" else ("",)


def _among(operations: Collection[str], operation: str | None) -> Sequence[str]:
    return (operation,) if operation in operations and operation is not None else ()


def _deepened(blocks: Blocks, place: int, to: str) -> Blocks:
    across = _across(blocks, place)
    adjusted = tuple(block.skipping(1) if later in across else block for later, block in enumerate(blocks))
    return (*adjusted[: place + 1], Block(to, blocks[place].width), *adjusted[place + 1 :])


def _removed(blocks: Blocks, place: int, to: str) -> Blocks:
    across = _across(blocks, place)
    adjusted = [block.skipping(-1) if later in across else block for later, block in enumerate(blocks)]
    first, *others = adjusted[:place] + adjusted[place + 1 :]
    return (replace(first, skip="none"), *others)


def _with_width(blocks: Blocks, place: int, to: str) -> Blocks:
    return _with(blocks, place, replace(blocks[place], width=float(to)))


def _with_operation(blocks: Blocks, place: int, to: str) -> Blocks:
    return _with(blocks, place, replace(blocks[place], operation=to))


def _with_skip(blocks: Blocks, place: int, to: str) -> Blocks:
    return _with(blocks, place, replace(blocks[place], skip=to or "none"))


def _with(blocks: Blocks, place: int, block: Block) -> Blocks:
    return (*blocks[:place], block, *blocks[place + 1 :])


Offer: TypeAlias = Callable[[ChainLimits, Blocks, int], Sequence[str]]

PRESERVING: Mapping[str, Offer] = MappingProxyType(
    {"deepen": _deepen, "widen": _widen, "enlarge": _enlarge, "merge": _merge, "skip": _skip}
)
APPROXIMATE: Mapping[str, Offer] = MappingProxyType(
    {"remove": _remove, "prune": _prune, "separate": _separate, "unskip": _unskip}
)
CHANGES: Mapping[str, Callable[[Blocks, int, str], Blocks]] = MappingProxyType(
    {
        "deepen": _deepened,
        "widen": _with_width,
        "enlarge": _with_operation,
        "merge": _with_operation,
        "skip": _with_skip,
        "remove": _removed,
        "prune": _with_width,
        "separate": _with_operation,
        "unskip": _with_skip,
    }
)
