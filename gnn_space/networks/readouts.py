"""What each block hands to the classifier of graphs: its readout, brought to one size."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.descent import BlockOutput
from gnn_space.networks.selection import Options, Selection, mixed, views_needed
from gnn_space.networks.vocabulary import BlockNames
from gnn_space.readouts.named import readout, readout_channels


class BlockReadout(nn.Module):
    """``sum_r g_r P_r(readout_r(nodes))``, P_r a linear map without bias where the readout has another size.

    Shapes: (num_nodes, width) to (num_graphs, 2 width).

    Args:
        block: number of the block, from 1.
        options: that there are.
        width: channels of the nodes.
    """

    def __init__(self, block: int, options: Options, width: int) -> None:
        super().__init__()
        self.name = BlockNames(block).readout
        self.readouts = nn.ModuleDict({name: readout(name, width) for name in options[self.name]})
        self.projections = nn.ModuleDict()
        for name in options[self.name]:
            channels = readout_channels(name, width)
            self.projections[name] = (
                nn.Identity() if channels == 2 * width else nn.Linear(channels, 2 * width, bias=False)
            )

    def forward(self, level: BlockOutput, selection: Selection) -> Tensor:
        """Return one vector a graph."""
        graphs, presence = level.after.graphs, level.after.presence
        return mixed(
            (weight, self.projections[name](self.readouts[name](graphs.x, graphs.batch, graphs.num_graphs, presence)))
            for name, weight in selection[self.name]
        )


class ReadoutViews(nn.Module):
    """The readouts of the blocks, each of the nodes that its pooling left.

    Args:
        num_blocks: blocks that there are.
        options: that there are; a block without options for its readout has none.
        width: channels of the nodes.
    """

    def __init__(self, num_blocks: int, options: Options, width: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleDict(
            {
                str(number): BlockReadout(number, options, width)
                for number in range(1, num_blocks + 1)
                if BlockNames(number).readout in options
            }
        )

    def forward(
        self, graphs: GraphBatch, levels: Sequence[BlockOutput], depths: Sequence[int], selection: Selection
    ) -> list[list[Tensor]]:
        """Return for each depth the vectors (num_graphs, 2 width) to combine, the last block's at the end."""
        needed = {depth: views_needed(selection, depth) for depth in depths}
        made = {
            number: self.blocks[str(number)](levels[number - 1], selection)
            for number in sorted({number for numbers in needed.values() for number in numbers})
        }
        return [[made[number] for number in needed[depth]] for depth in depths]
