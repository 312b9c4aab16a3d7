"""The one body of graph networks: of stand-alone networks, which have one option a choice, and of supernets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.combination import Combination
from gnn_space.networks.descent import BlockOutput, Descent
from gnn_space.networks.head import Head
from gnn_space.networks.selection import Selection, mixed
from gnn_space.networks.vocabulary import NUM_BLOCKS


class Views(Protocol):
    """An `nn.Module` that makes of each block the vectors that are combined and classified."""

    def __call__(
        self, graphs: GraphBatch, levels: Sequence[BlockOutput], depths: Sequence[int], selection: Selection
    ) -> list[list[Tensor]]:
        """Return for each depth the vectors of its blocks, the last block's at the end."""


class Body(nn.Module):
    """Blocks, a view of each block, their combination, and the head.

    A mixture of depths d is one of combined views: ``head(sum_d g_d combine(views of d blocks))``.

    Args:
        descent: the blocks.
        views: gives one vector a graph and block, or one a node and block.
        combination: of the blocks' vectors.
        head: the classifier.
    """

    def __init__(self, descent: Descent, views: nn.Module, combination: Combination, head: Head) -> None:
        super().__init__()
        self.descent = descent
        self.views = views
        self.combination = combination
        self.head = head

    def forward(self, graphs: GraphBatch, selection: Selection) -> Tensor:
        """Return the logits, one row a graph, or one a target node."""
        depths = [int(option) for option, _ in selection[NUM_BLOCKS]]
        levels = self.descent(graphs, max(depths), selection)
        views = self.views(graphs, levels, depths, selection)
        combined = mixed(
            (weight, self.combination(vectors, selection))
            for (_, weight), vectors in zip(selection[NUM_BLOCKS], views, strict=True)
        )
        logits: Tensor = self.head(combined, selection)
        return logits
