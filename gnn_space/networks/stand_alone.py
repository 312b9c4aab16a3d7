"""The stand-alone network of one architecture."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.body import Body
from gnn_space.networks.pooling_examples import pooling_examples
from gnn_space.networks.selection import Selection


class StandAlone(nn.Module):
    """A body with the one option of each choice, called as ``network(graphs)``.

    Shapes: a batch of graphs to (num_graphs, classes); of nodes to (num_targets, classes).

    Args:
        body: with the modules of that option.
        selection: of one option a choice.
    """

    def __init__(self, body: Body, selection: Selection) -> None:
        super().__init__()
        self.body = body
        self.selection = selection

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Return the logits."""
        logits: Tensor = self.body(graphs, self.selection)
        return logits

    def pooling_examples(self, graphs: GraphBatch, count: int) -> list[dict[str, object]]:
        """Return what the poolings keep of the first graphs; see `pooling_examples.pooling_examples`."""
        return pooling_examples(self.body.descent, self.selection, graphs, count)
