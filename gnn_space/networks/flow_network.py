"""The network of the graph predictor: convolutions along and against the edges, a mean over vertices, two layers."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch_geometric.nn.dense import DenseGCNConv


class FlowNetwork(nn.Module):
    """Graphs (batch, vertices, vertices + labels) -> numbers (batch,); see `predictors.graph_network`."""

    def __init__(self, num_labels: int, width: int, num_layers: int) -> None:
        """Make the layers.

        Args:
            num_labels: of the vertices.
            width: features of a vertex after each layer.
            num_layers: at least 1.
        """
        super().__init__()
        sizes = list(pairwise((num_labels, *[width] * num_layers)))
        self.along = nn.ModuleList(DenseGCNConv(before, after) for before, after in sizes)
        self.against = nn.ModuleList(DenseGCNConv(before, after) for before, after in sizes)
        self.head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))

    def forward(self, graphs: Tensor) -> Tensor:
        """Return a number a graph; vertices without a label are left out of the mean."""
        num_vertices = graphs.shape[1]
        edges, hidden = graphs[:, :, :num_vertices], graphs[:, :, num_vertices:]
        used = hidden.sum(dim=2, keepdim=True)
        # a row of the adjacency lists successors, so its transpose carries what comes in
        for along, against in zip(self.along, self.against, strict=True):
            hidden = (along(hidden, edges.mT).relu() + against(hidden, edges).relu()) / 2
        pooled = (hidden * used).sum(dim=1) / used.sum(dim=1)
        outputs: Tensor = self.head(pooled).squeeze(1)
        return outputs
