"""What each block hands to the classifier of nodes: features of all nodes, those that were pooled away included."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from gnn_space.convolutions.named import convolution
from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.descent import BlockOutput
from gnn_space.networks.selection import Options, Selection, mixed, views_needed
from gnn_space.networks.vocabulary import NO_POOLING, BlockNames


class Ascent(nn.Module):
    """The way back through a block's pooling: ``ReLU(GCN(U u + h))``, u as it is where nothing was pooled.

    U puts the features of the kept nodes back in their places, with zeros at the others; h are the block's features
    from before the pooling, on whose nodes and edges the graph convolution works. Gao and Ji 2019 (Graph U-Nets,
    arXiv:1905.05178), with the sum of torch-geometric's GraphUNet in place of the paper's concatenation. In a mixture
    the two ways are weighted by the gates of the poolings: ``g_none U u + sum_{p not none} g_p ReLU(GCN(U u + h))``.

    Shapes: (num_kept, width) to (num_nodes, width).

    Args:
        block: number of the block, from 1.
        width: channels.
    """

    def __init__(self, block: int, width: int) -> None:
        super().__init__()
        self.name = BlockNames(block).pooling
        self.convolution = convolution("gcn", width, width)
        self.relu = nn.ReLU()

    def forward(self, u: Tensor, level: BlockOutput, selection: Selection) -> Tensor:
        """Return the features of the nodes that were there before the pooling."""
        graphs = level.before
        u = put_back(u, level.after.kept, graphs.num_nodes)
        terms = []
        for option, weight in selection[self.name]:
            if option == NO_POOLING:
                terms.append((weight, u))
        pooled = [weight for option, weight in selection[self.name] if option != NO_POOLING]
        if pooled:
            ascended = self.relu(self.convolution(u + graphs.x, graphs.edge_index, graphs.edge_weight))
            terms += [(weight, ascended) for weight in pooled]
        return mixed(terms)


class NodeViews(nn.Module):
    """Features of all nodes from each block.

    The last block's are those that come back up through all poolings (`Ascent`); without pooling they are its features.
    Those of an earlier block are its features from before its own pooling, put back in the places of the nodes that
    earlier poolings left to it, with zeros at the others.

    Args:
        num_blocks: blocks that there are.
        options: that there are.
        width: channels.
    """

    def __init__(self, num_blocks: int, options: Options, width: int) -> None:
        super().__init__()
        self.ascents = nn.ModuleDict(
            {
                str(number): Ascent(number, width)
                for number in range(1, num_blocks + 1)
                if set(options[BlockNames(number).pooling]) != {NO_POOLING}
            }
        )

    def forward(
        self, graphs: GraphBatch, levels: Sequence[BlockOutput], depths: Sequence[int], selection: Selection
    ) -> list[list[Tensor]]:
        """Return for each depth the features to combine, the last block's at the end.

        They are (num_targets, width), or (num_nodes, width) where no target nodes are named.
        """
        views = []
        for depth in depths:
            earlier = [self._spread(levels, number) for number in views_needed(selection, depth)[:-1]]
            every = [*earlier, self._ascended(levels[:depth], selection)]
            views.append(every if graphs.target_nodes is None else [x[graphs.target_nodes] for x in every])
        return views

    def _ascended(self, levels: Sequence[BlockOutput], selection: Selection) -> Tensor:
        u = levels[-1].after.graphs.x
        for number, level in reversed(list(enumerate(levels, start=1))):
            if str(number) in self.ascents:
                u = self.ascents[str(number)](u, level, selection)
        return u

    def _spread(self, levels: Sequence[BlockOutput], number: int) -> Tensor:
        x = levels[number - 1].before.x
        for level in reversed(levels[: number - 1]):
            x = put_back(x, level.after.kept, level.before.num_nodes)
        return x


def put_back(x: Tensor, kept: Tensor | None, num_nodes: int) -> Tensor:
    """Return features of num_nodes nodes: row i of x at node ``kept[i]``, zeros at the others; x itself for None."""
    return x if kept is None else x.new_zeros(num_nodes, x.shape[1]).index_add(0, kept, x)
