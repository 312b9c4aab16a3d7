"""The space of graph networks: one to four blocks of convolution, normalization, activation, connection and pooling."""

from __future__ import annotations

import difflib
import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Le, MinLen

from gnn_space.convolutions.named import NAMES as CONVOLUTIONS
from gnn_space.levels import GRAPH, NODE, Level
from gnn_space.networks.activation import NAMES as ACTIVATIONS
from gnn_space.networks.vocabulary import (
    COMBINATION,
    COMBINATIONS,
    CONNECTIONS,
    HEAD,
    HEADS,
    IDENTITY,
    NUM_BLOCKS,
    POOLINGS,
    RATIO_POOLINGS,
    STRUCTURE_POOLING,
    STRUCTURES,
    BlockNames,
    Sizes,
)
from gnn_space.normalizations.named import NAMES as NORMALIZATIONS
from gnn_space.pooling_variants import pooling_variants
from gnn_space.readouts.named import NAMES as READOUTS
from nas_core.architecture import Architecture, Choice, active
from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch
    from torch import nn

    from gnn_space.designs import Design
    from gnn_space.networks.stand_alone import StandAlone
    from gnn_space.networks.supernet import GraphSupernet
    from nas_core.weight_sharing.supernet import Mixing

NAME = "graph_networks"
Share = Annotated[float, Gt(0), Le(1)]
Multiple = Annotated[float, Gt(0), Le(8)]


@dataclass(frozen=True)
class GraphSpace:
    """Networks of blocks for classification of graphs or of nodes, the options of every choice given.

    A network has num_blocks blocks (`gnn_space.networks.descent`): convolution, normalization and activation, as often
    as `sizes` say, connection, pooling. The channels between blocks are constant; a block's convolutions work at a
    multiple of them, with a linear map back where it is another number. The first convolution takes the features of
    the task as they are; it is none that needs equal channels (identity), and its connection none that needs earlier
    blocks (dense). For graphs, each block has a readout of the nodes that its pooling left, brought to twice the
    channels by a linear map without bias where it has another size; for nodes, there is a way back up through the
    poolings (`gnn_space.networks.ascent`). What the blocks hand over is combined, and classified by the head.

    Every architecture is valid in which a choice that does not matter has decision 0 (see `Choice.active_if`): the
    choices of blocks beyond num_blocks, the width of an identity, the ratio of a pooling without one, and the structure
    of any pooling but HGP-SL.

    Attributes:
        level: whether graphs or nodes are classified.
        sizes: of the networks.
        choices: in the order of an architecture's decisions; `build` makes them.
    """

    level: Level
    sizes: Sizes
    choices: tuple[Choice, ...]

    @property
    def name(self) -> str:
        """Name of the space, the same for every size."""
        return NAME

    @property
    def inputs(self) -> str:
        """What the networks take, by the level."""
        return self.level.inputs

    def is_valid(self, architecture: Architecture) -> bool:
        """Return whether every decision is an option of its choice, and 0 where the choice does not matter."""
        decisions, choices = architecture.decisions, self.choices
        if architecture.space != NAME or len(decisions) != len(choices):
            return False
        if not all(0 <= decision < len(choice.options) for decision, choice in zip(decisions, choices, strict=True)):
            return False
        return self._without_inactive(decisions) == decisions

    def canonical(self, architecture: Architecture) -> Architecture:
        """Return the representative of the architectures that compute the same, by these rules.

        - Of one block, last, sum, jk_max and jk_lstm are its output; the first of them in the settings stands for all.
        - With last, the readouts of the blocks before the last one are not read; they become the first option.
        - No convolution sees the edges that the last block's pooling learns; its structure becomes the first option.

        The rules lead to the least of those that they make equal. There may be more architectures that compute the
        same by the values of their weights; they are different members.
        """
        decisions = list(architecture.decisions)
        places, choices = self._places, self.choices
        num_blocks = int(choices[places[NUM_BLOCKS]].options[decisions[places[NUM_BLOCKS]]])
        combinations = choices[places[COMBINATION]].options
        if num_blocks == 1 and combinations[decisions[places[COMBINATION]]] != "concatenation":
            decisions[places[COMBINATION]] = min(
                place for place, option in enumerate(combinations) if option != "concatenation"
            )
        if combinations[decisions[places[COMBINATION]]] == "last" and self.level.has_readouts:
            for block in range(1, num_blocks):
                decisions[places[BlockNames(block).readout]] = 0
        last_structure = BlockNames(num_blocks).structure
        if last_structure in places:
            decisions[places[last_structure]] = 0
        return Architecture(NAME, tuple(decisions))

    def decode(self, scores: Sequence[Sequence[float]]) -> Architecture:
        """Return the best option of every choice that matters, a tie going to the first option."""
        best = tuple(max(range(len(row)), key=row.__getitem__) for row in scores)
        return Architecture(NAME, self._without_inactive(best))

    def reference(self) -> Architecture:
        """Return HGP-SL's network for graphs, two GCN convolutions for nodes, or what is nearest among the options.

        See `gnn_space.designs.HGP_SL` and `gnn_space.designs.GCN_OF_NODES`.
        """
        return self._member(self.level.reference)

    def baselines(self) -> Mapping[str, Architecture]:
        """Return further hand-designed networks, as far as the options allow them; see `gnn_space.designs`."""
        named = self.level.baselines.items()
        return {name: self._member(design) for name, design in named if design.is_possible(self.choices)}

    def variants(self, architecture: Architecture) -> Mapping[str, Architecture]:
        """Return the network with its poolings taken away, and with TopK in their place; see `pooling_variants`."""
        found = pooling_variants(self.choices, architecture.decisions)
        return {name: Architecture(NAME, self._without_inactive(decisions)) for name, decisions in found.items()}

    def scaled(self, *, width: float = 1.0, depth: float = 1.0) -> GraphSpace:
        """Return the space with `width` times the channels and `depth` times the layers of a block, rounded up.

        Another width is rounded up to a multiple of 4, as the channels of convolutions are, so that a convolution at
        full width needs no linear map behind it.
        """
        channels = self.sizes.width if width == 1 else 4 * _times(self.sizes.width, width / 4)
        return replace(self, sizes=Sizes(channels, _times(self.sizes.layers_per_block, depth)))

    def network(self, architecture: Architecture, task: TaskShape, init: torch.Generator) -> StandAlone:
        """Return the freshly initialized network of the canonical form, on the CPU.

        Raises:
            ValueError: the architecture is no member, or the task is no classification of graphs or nodes by features.
        """
        from gnn_space.networks.initialization import initialized
        from gnn_space.networks.selection import chosen
        from gnn_space.networks.stand_alone import StandAlone

        if not self.is_valid(architecture):
            raise ValueError(
                f"{architecture.key} is no member of this {NAME} space; give {len(self.choices)} decisions, each an "
                "option of its choice, and 0 where the choice does not matter"
            )
        selection = chosen(self.choices, self.canonical(architecture))
        num_blocks = int(selection[NUM_BLOCKS][0].option)
        unread = {BlockNames(block).readout for block in range(1, num_blocks)}
        skipped = unread if selection[COMBINATION][0].option == "last" else frozenset()
        options = {name: (made[0].option,) for name, made in selection.items() if name not in skipped}
        return initialized(lambda: StandAlone(self.level.body(task, options, self.sizes), selection), init)

    def supernet(self, task: TaskShape, init: torch.Generator, mixing: Mixing | None = None) -> GraphSupernet:
        """Return the supernet, on the CPU, called as ``supernet(graphs, gates)``; see `gnn_space.networks.supernet`.

        Normalizations keep scale and shift whatever `mixing.affine` says: they are shared by all convolutions of a
        width, so that they cannot make up for the gates of any.

        Raises:
            ValueError: `mixing` asks for a fraction of the channels, or the task is of another kind.
        """
        from gnn_space.networks.initialization import initialized
        from gnn_space.networks.supernet import GraphSupernet

        if mixing is not None and mixing.channel_fraction != 1:
            raise ValueError(
                f"channel_fraction is {mixing.channel_fraction}, and {NAME} mixes all channels; leave it at 1"
            )
        options = {choice.name: choice.options for choice in self.choices}
        return initialized(lambda: GraphSupernet(self.level.body(task, options, self.sizes), self.choices), init)

    def inherited_state(
        self, supernet_state: Mapping[str, torch.Tensor], network: nn.Module
    ) -> dict[str, torch.Tensor]:
        """Return the state of a stand-alone network out of a supernet's, in which its tensors have the same names."""
        return {name: supernet_state[name].clone() for name in network.state_dict()}

    def _member(self, design: Design) -> Architecture:
        return Architecture(NAME, self._without_inactive(design.nearest(self.choices)))

    @functools.cached_property
    def _places(self) -> Mapping[str, int]:
        return {choice.name: place for place, choice in enumerate(self.choices)}

    def _without_inactive(self, decisions: tuple[int, ...]) -> tuple[int, ...]:
        flags = active(self.choices, decisions)
        return tuple(decision if flag else 0 for decision, flag in zip(decisions, flags, strict=True))


def build(
    *,
    level: Literal["graph", "node"] = "graph",
    width: Annotated[int, Ge(1)] = 64,
    max_blocks: Annotated[int, Ge(1), Le(4)] = 3,
    layers_per_block: Annotated[int, Ge(1)] = 1,
    convolutions: Annotated[tuple[str, ...], MinLen(1)] = CONVOLUTIONS,
    width_multiples: Annotated[tuple[Multiple, ...], MinLen(1)] = (0.5, 1.0),
    normalizations: Annotated[tuple[str, ...], MinLen(1)] = NORMALIZATIONS,
    activations: Annotated[tuple[str, ...], MinLen(1)] = ACTIVATIONS,
    connections: Annotated[tuple[str, ...], MinLen(1)] = CONNECTIONS,
    poolings: Annotated[tuple[str, ...], MinLen(1)] | None = None,
    ratios: Annotated[tuple[Share, ...], MinLen(1)] = (0.5, 0.8),
    structures: Annotated[tuple[str, ...], MinLen(1)] = STRUCTURES,
    readouts: Annotated[tuple[str, ...], MinLen(1)] = READOUTS,
    combinations: Annotated[tuple[str, ...], MinLen(1)] = COMBINATIONS,
    heads: Annotated[tuple[str, ...], MinLen(1)] = HEADS,
) -> GraphSpace:
    """Return the space of networks for classification of graphs or nodes.

    Args:
        level: "graph", or "node", whose blocks have no readouts.
        width: channels between blocks.
        max_blocks: networks have from 1 to this many blocks.
        layers_per_block: convolutions one after the other in each block.
        convolutions: options of each block's convolution; identity is none of the first block's.
        width_multiples: at which share of the width a convolution works; channels are rounded up to a multiple of 4.
        normalizations: options of each block's normalization.
        activations: options of each block's activation.
        connections: options of the connection around each block; dense is none of the first block's.
        poolings: options of each block's pooling; None is all of them for graphs, and none and topk for nodes, for
            which edge is none.
        ratios: shares of the nodes that a pooling may keep.
        structures: ways in which HGP-SL may learn edges.
        readouts: options of each block's readout; not used for nodes.
        combinations: options for putting the blocks' outputs together.
        heads: options of the classifier.

    Raises:
        ValueError: a name is unknown or given twice, the first block is left without an option, or a pooling does not
            go with nodes.
    """
    kind = GRAPH if level == GRAPH.name else NODE
    if poolings is None:
        poolings = kind.default_poolings
    for what, given, known in (
        ("convolutions", convolutions, CONVOLUTIONS),
        ("normalizations", normalizations, NORMALIZATIONS),
        ("activations", activations, ACTIVATIONS),
        ("connections", connections, CONNECTIONS),
        ("poolings", poolings, POOLINGS),
        ("structures", structures, STRUCTURES),
        ("readouts", readouts, READOUTS),
        ("combinations", combinations, COMBINATIONS),
        ("heads", heads, HEADS),
    ):
        _check_names(what, given, known)
    for name in poolings:
        if name not in kind.poolings:
            raise ValueError(
                f"poolings has {name!r}, which makes one node of two, so that there is no way back to nodes; give some "
                f"of {', '.join(kind.poolings)}"
            )
    options = {
        "conv": convolutions,
        "width": _numbers("width_multiples", width_multiples),
        "normalization": normalizations,
        "activation": activations,
        "connection": connections,
        "pooling": poolings,
        "ratio": _numbers("ratios", ratios),
        "structure": structures,
    }
    if kind.has_readouts:
        options["readout"] = readouts
    choices = [Choice(NUM_BLOCKS, tuple(str(number) for number in range(1, max_blocks + 1)))]
    for block in range(1, max_blocks + 1):
        choices += _block_choices(block, options, max_blocks)
    choices += [Choice(COMBINATION, combinations), Choice(HEAD, heads)]
    return GraphSpace(kind, Sizes(width, layers_per_block), tuple(choices))


def _block_choices(block: int, options: Mapping[str, tuple[str, ...]], max_blocks: int) -> list[Choice]:
    """Return the choices of one block."""
    names = BlockNames(block)
    there = None if block == 1 else (NUM_BLOCKS, tuple(str(number) for number in range(block, max_blocks + 1)))
    choices: list[Choice] = []
    for role, given in options.items():
        allowed, condition = given, there
        if block == 1 and role in FIRST_LACKS:
            allowed = tuple(option for option in given if option != FIRST_LACKS[role])
            if not allowed:
                raise ValueError(
                    f"{role} of the first block may not be {FIRST_LACKS[role]}, and nothing else is given; "
                    "give one more option"
                )
        if role == "width" and IDENTITY in choices[0].options:
            condition = (names.convolution, tuple(name for name in choices[0].options if name != IDENTITY))
        if role in ("ratio", "structure"):
            users = RATIO_POOLINGS if role == "ratio" else (STRUCTURE_POOLING,)
            condition = (names.pooling, tuple(name for name in options["pooling"] if name in users))
        if condition is None or condition[1]:
            choices.append(Choice(f"{role}_{block}", allowed, names.group, condition))
    return choices


FIRST_LACKS: Mapping[str, str] = {"conv": IDENTITY, "connection": "dense"}
"""What may not be in the first block: its input has other channels, and there is no earlier block."""


def _check_names(what: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
            raise ValueError(f"{what} has {name!r}; did you mean {near!r}? allowed: {', '.join(known)}")
    if len(set(given)) != len(given) or not given:
        raise ValueError(f"{what} is {', '.join(given) or 'empty'}; give one name or more, each once")


def _numbers(what: str, given: Sequence[float]) -> tuple[str, ...]:
    texts = tuple(f"{number:g}" for number in given)
    if len(set(texts)) != len(texts) or not texts:
        raise ValueError(f"{what} is {', '.join(texts) or 'empty'}; give one number or more, each once")
    return texts


def _times(count: int, factor: float) -> int:
    """Return the product rounded up, at least 1; the noise of floating point does not count, as in 10 * 1.1."""
    return max(1, math.ceil(round(count * factor, 9)))
