"""A network of blocks, read from the names of a space's choices: what a block diagram shows.

The choices of a block share a group, and each is named ``ROLE_NUMBER``, as ``conv_1`` in the group ``block 1``. The
roles below have a place of their own in a diagram; any other one is a line in its block. Choices without a group
concern the whole network. What matters to nothing is left out: the readouts of all blocks but the last one where the
combination is ``last``, the combination of a single block's output, unless a linear map comes with it (concatenation),
and the edges that a pooling learns behind the last block, where no convolution sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nas_core.architecture import Choice, active
from tasks.reporting.quantities import readable

NAME = re.compile(r"(\D+)_\d+")
CONVOLUTION, CONNECTION, POOLING, RATIO, STRUCTURE, READOUT = (
    "conv",
    "connection",
    "pooling",
    "ratio",
    "structure",
    "readout",
)
COMBINATION, HEAD = "combination", "head"
NUM_BLOCKS, WIDTH = "num_blocks", "width"
NO_OPTION, LAST, CONCATENATION, DENSE = "none", "last", "concatenation", "dense"


@dataclass(frozen=True)
class PoolingPart:
    """What makes the graph smaller behind a block.

    Attributes:
        name: of the pooling.
        ratio: share of the nodes that is kept; None where the pooling alone decides.
        structure: how edges among the kept nodes are learnt, in words; empty where the pooling has no such choice.
    """

    name: str
    ratio: float | None
    structure: str


@dataclass(frozen=True)
class NetworkBlock:
    """One block.

    Attributes:
        name: of its group.
        convolution: its operation.
        lines: its further decisions, such as width, normalization and activation.
        connection: how its input goes around it; empty for not at all.
        pooling: what follows; None for nothing.
        readout: what it hands to the head; empty for nothing of its own.
    """

    name: str
    convolution: str
    lines: tuple[str, ...]
    connection: str
    pooling: PoolingPart | None
    readout: str

    @property
    def is_dense(self) -> bool:
        """Whether the outputs of all earlier blocks join its own."""
        return self.connection == DENSE

    @property
    def words(self) -> str:
        """The block in words."""
        parts = [self.convolution, *self.lines]
        if self.connection:
            parts.append(f"{self.connection} connection")
        if self.pooling is not None:
            parts.append(f"then {readable(self.pooling.name)} pooling")
            parts += [f"ratio {self.pooling.ratio:g}"] if self.pooling.ratio is not None else []
            parts += [f"edges {self.pooling.structure}"] if self.pooling.structure else []
        if self.readout:
            parts.append(f"readout {self.readout}")
        return f"{self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class BlockNetwork:
    """Blocks in their order, and what becomes of their outputs.

    Attributes:
        blocks: one or more.
        combination: how the outputs of blocks are put together; empty where only the last one counts.
        head: what follows; empty if there is no choice.
        others: further decisions that concern the whole network, in words.
    """

    blocks: tuple[NetworkBlock, ...]
    combination: str
    head: str
    others: tuple[str, ...]

    @property
    def restores_nodes(self) -> bool:
        """Whether nodes that were pooled away come back: where no readout makes one vector of a graph's nodes."""
        is_pooled = any(block.pooling is not None for block in self.blocks)
        return is_pooled and not any(block.readout for block in self.blocks)

    @property
    def words(self) -> str:
        """The network in words, for those who cannot see a drawing."""
        ends = ["back to all nodes"] if self.restores_nodes else []
        ends += [f"combination {self.combination}"] if self.combination else []
        ends += [f"head {self.head}"] if self.head else []
        return "; ".join([*(block.words for block in self.blocks), *ends, *self.others])


def block_network(choices: Sequence[Choice], decisions: Sequence[int]) -> BlockNetwork | None:
    """Return the network that decisions stand for, with what matters alone; None if the choices make no blocks.

    Args:
        choices: of the space.
        decisions: one a choice.
    """
    chosen = [
        (choice.group, choice.name, choice.options[decision])
        for choice, decision, matters in zip(choices, decisions, active(choices, decisions), strict=True)
        if matters
    ]
    groups: dict[str, list[tuple[str, str]]] = {}
    for group, name, option in chosen:
        if group:
            groups.setdefault(group, []).append((name, option))
    blocks = []
    for group, members in groups.items():
        matches = [(NAME.fullmatch(name), option) for name, option in members]
        roles = {match[1]: option for match, option in matches if match is not None}
        if len(roles) != len(matches) or CONVOLUTION not in roles:
            return None
        blocks.append(_block(group, roles))
    if not blocks:
        return None
    whole = {name: option for group, name, option in chosen if not group}
    combination = _named(whole, COMBINATION)
    is_last = combination == LAST or (len(blocks) == 1 and combination != CONCATENATION)
    return BlockNetwork(
        _read_blocks(blocks, is_last),
        "" if is_last else combination,
        _named(whole, HEAD),
        tuple(_line(name, whole[name]) for name in whole if name not in (COMBINATION, HEAD, NUM_BLOCKS)),
    )


def _read_blocks(blocks: Sequence[NetworkBlock], is_last: bool) -> tuple[NetworkBlock, ...]:
    """Return the blocks without what matters to nothing; `is_last` is whether the last one's output alone is read."""
    *earlier, last = blocks
    if is_last:
        earlier = [replace(block, readout="") for block in earlier]
    if last.pooling is not None:
        last = replace(last, pooling=replace(last.pooling, structure=""))
    return *earlier, last


def _block(group: str, roles: Mapping[str, str]) -> NetworkBlock:
    placed = (CONVOLUTION, CONNECTION, POOLING, RATIO, STRUCTURE, READOUT)
    lines = [_line(role, option) for role, option in roles.items() if role not in placed and option != NO_OPTION]
    pooling = roles.get(POOLING, NO_OPTION)
    return NetworkBlock(
        readable(group),
        readable(roles[CONVOLUTION]),
        tuple(lines),
        _named(roles, CONNECTION),
        None if pooling == NO_OPTION else PoolingPart(pooling, _ratio(roles.get(RATIO)), _structure(roles)),
        _named(roles, READOUT),
    )


def _structure(roles: Mapping[str, str]) -> str:
    option = roles.get(STRUCTURE, "")
    return "nothing learnt" if option == NO_OPTION else readable(option)


def _ratio(option: str | None) -> float | None:
    try:
        return None if option is None else float(option)
    except ValueError:
        return None


def _named(roles: Mapping[str, str], role: str) -> str:
    option = roles.get(role, NO_OPTION)
    return "" if option == NO_OPTION else readable(option)


def _line(role: str, option: str) -> str:
    """Return a decision in words, with its role where the option is a number alone; a width up to 1 is a share."""
    if not option.replace(".", "", 1).isdigit():
        return readable(option)
    return (
        f"{option} \N{MULTIPLICATION SIGN} width"
        if role == WIDTH and float(option) <= 1
        else f"{readable(role)} {option}"
    )
