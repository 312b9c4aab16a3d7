"""The blocks of a graph network, one after the other, on fewer and fewer nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.connection import Connection
from gnn_space.networks.layers import Layers
from gnn_space.networks.mixed_pooling import MixedPooling, Nodes
from gnn_space.networks.selection import Options, Selection
from gnn_space.networks.vocabulary import BlockNames, Sizes


@dataclass(frozen=True, eq=False)
class BlockOutput:
    """What one block made.

    Attributes:
        before: the block's nodes with its features and the edges that it saw, before its pooling.
        after: the nodes that are left after its pooling.
    """

    before: GraphBatch
    after: Nodes


class Block(nn.Module):
    """Convolution, normalization, activation, connection, pooling, in this order.

    In a mixture of poolings a node may be there in part; what a block makes of a node is multiplied by its presence
    before the pooling, so that a node that is hardly there adds hardly anything to what follows.

    Args:
        block: number of the block, from 1.
        options: that there are.
        in_channels: channels of the graphs' features.
        sizes: of the network.
    """

    def __init__(self, block: int, options: Options, in_channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.names = BlockNames(block)
        self.layers = Layers(self.names, options, in_channels, sizes)
        self.connection = Connection(options[self.names.connection], in_channels, sizes.width, block - 1)
        self.pooling = MixedPooling(self.names, options, sizes.width)

    def forward(
        self, graphs: GraphBatch, presence: Tensor | None, earlier: Sequence[Tensor], selection: Selection
    ) -> BlockOutput:
        """Return what the block makes; `earlier` are the outputs of the earlier blocks on the nodes of `graphs`."""
        y = self.layers(graphs, presence, selection)
        y = self.connection(graphs.x, y, earlier, selection[self.names.connection])
        if presence is not None:
            y = presence.unsqueeze(1) * y
        before = replace(graphs, x=y)
        return BlockOutput(before, self.pooling(before, presence, selection))


class Descent(nn.Module):
    """The blocks; each takes what the one before left.

    Args:
        num_blocks: blocks that there are.
        options: that there are.
        in_channels: features of a node.
        sizes: of the network.
    """

    def __init__(self, num_blocks: int, options: Options, in_channels: int, sizes: Sizes) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(number, options, sizes.width if number > 1 else in_channels, sizes)
            for number in range(1, num_blocks + 1)
        )

    def forward(self, graphs: GraphBatch, num_blocks: int, selection: Selection) -> list[BlockOutput]:
        """Return what each of the first `num_blocks` blocks makes."""
        levels: list[BlockOutput] = []
        earlier: list[Tensor] = []
        presence = None
        for block in self.blocks[:num_blocks]:
            level = block(graphs, presence, earlier, selection)
            levels.append(level)
            graphs, presence = level.after.graphs, level.after.presence
            if level.after.kept is not None:
                earlier = [outputs[level.after.kept] for outputs in earlier]
            earlier.append(graphs.x)
        return levels
