"""Features of whole graphs that need no network: what a linear classifier is fitted to as a baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from gnn_space.data.resident_graphs import ResidentGraphs

MAX_DEGREE = 10


def graph_features(graphs: ResidentGraphs) -> Tensor:
    """Return features (num_graphs, 13 + num_features) float64 on the CPU.

    They are log(1 + nodes), log(1 + edges), the shares of the nodes with in-degree 0, 1, ..., 9, and 10 or more, and
    the mean of each (standardized) feature over the nodes: nothing that asks which node is joined to which.
    """
    import torch

    num_nodes, num_graphs = graphs.x.shape[0], len(graphs)
    graph_of_node = torch.repeat_interleave(torch.arange(num_graphs), graphs.sizes)
    degrees = torch.bincount(graphs.edge_index[1].cpu(), minlength=num_nodes).clamp(max=MAX_DEGREE)
    cells = graph_of_node * (MAX_DEGREE + 1) + degrees
    histogram = torch.bincount(cells, minlength=num_graphs * (MAX_DEGREE + 1)).view(num_graphs, -1).double()
    sums = torch.zeros(num_graphs, graphs.x.shape[1], dtype=torch.float64)
    sums.index_add_(0, graph_of_node, graphs.x.cpu().double())
    sizes = graphs.sizes.double().unsqueeze(1)
    counts = torch.stack([graphs.sizes, graphs.num_edges], 1).double().log1p()
    return torch.cat([counts, histogram / sizes, sums / sizes], 1)
