"""The sizes of a graph network, and the names under which the choices of its blocks are known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gnn_space.pooling.named import NAMES, USES_RATIO

MAX_HEADS = 4
"""Channels of a convolution are a multiple of this, since attention divides them among its heads."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the networks of a space are.

    Attributes:
        width: channels between the blocks.
        layers_per_block: convolutions one after the other in each block, of one kind and size.
    """

    width: int
    layers_per_block: int

    def channels(self, multiple: str) -> int:
        """Return the channels of a convolution: the width times the multiple, rounded up to a multiple of 4."""
        return MAX_HEADS * math.ceil(round(self.width * float(multiple) / MAX_HEADS, 9))


@dataclass(frozen=True, slots=True)
class BlockNames:
    """The names of the choices of one block.

    Attributes:
        block: number of the block, from 1.
    """

    block: int

    @property
    def group(self) -> str:
        """Group of the block's choices."""
        return f"block {self.block}"

    @property
    def convolution(self) -> str:
        """Name of the choice of a convolution."""
        return f"conv_{self.block}"

    @property
    def width(self) -> str:
        """Name of the choice of the convolution's width, as a multiple of the network's."""
        return f"width_{self.block}"

    @property
    def normalization(self) -> str:
        """Name of the choice of a normalization."""
        return f"normalization_{self.block}"

    @property
    def activation(self) -> str:
        """Name of the choice of an activation."""
        return f"activation_{self.block}"

    @property
    def connection(self) -> str:
        """Name of the choice of a connection around the block."""
        return f"connection_{self.block}"

    @property
    def pooling(self) -> str:
        """Name of the choice of a pooling."""
        return f"pooling_{self.block}"

    @property
    def ratio(self) -> str:
        """Name of the choice of the share of nodes that the pooling keeps."""
        return f"ratio_{self.block}"

    @property
    def structure(self) -> str:
        """Name of the choice of the way in which HGP-SL learns edges."""
        return f"structure_{self.block}"

    @property
    def readout(self) -> str:
        """Name of the choice of a readout."""
        return f"readout_{self.block}"


NUM_BLOCKS = "num_blocks"
COMBINATION = "combination"
HEAD = "head"

IDENTITY = "identity"
"""The convolution that has no width of its own."""

NO_POOLING = "none"
POOLINGS = (NO_POOLING, *NAMES)
RATIO_POOLINGS = USES_RATIO
STRUCTURE_POOLING = "hgpsl"
CONNECTIONS = ("none", "skip", "dense")
COMBINATIONS = ("last", "sum", "concatenation", "jk_max", "jk_lstm")
HEADS = ("linear", "mlp")
STRUCTURES = (
    "none",
    "sparsemax_all_pairs",
    "softmax_all_pairs",
    "sparsemax_k_hop",
    "softmax_k_hop",
)
