"""Labeled graphs as flat tensors on the device, and passes over them in batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_space.data.graph_set import GraphSet
from gnn_space.graph_batch import GraphBatch


@dataclass(frozen=True, eq=False)
class ResidentGraphs:
    """Graphs one after the other, like `GraphSet`.

    A pass in another order takes all its graphs out of the flat tensors at once, so that a batch is three slices and
    no graph is ever handled by itself.

    Attributes:
        x: features (num_nodes, num_features), on the device.
        edge_index: edges (2, num_edges), numbered through all nodes, on the device.
        sizes: nodes of each graph (num_graphs,), on the CPU.
        num_edges: edges of each graph (num_graphs,), on the CPU.
        labels: (num_graphs,), on the device.
    """

    x: Tensor
    edge_index: Tensor
    sizes: Tensor
    num_edges: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Return the number of graphs."""
        return self.sizes.shape[0]

    def take(self, indices: Tensor) -> ResidentGraphs:
        """Return the graphs at `indices` (num_taken,), which are on the CPU, in that order."""
        device = self.x.device
        sizes, num_edges = self.sizes[indices], self.num_edges[indices]
        node_begin, edge_begin = _starts(self.sizes)[indices], _starts(self.num_edges)[indices]
        nodes = _positions(node_begin, sizes, device)
        edges = _positions(edge_begin, num_edges, device)
        moved = _repeated(_starts(sizes) - node_begin, num_edges, device)
        return ResidentGraphs(
            self.x.index_select(0, nodes),
            self.edge_index.index_select(1, edges) + moved,
            sizes,
            num_edges,
            self.labels[indices.to(device)],
        )

    def batches(self, batch_size: int) -> Iterator[tuple[GraphBatch, Tensor]]:
        """Yield (graphs, labels) in the stored order; the last batch may be smaller."""
        num_graphs = len(self)
        node_bounds = [0, *self.sizes.cumsum(0).tolist()]
        edge_bounds = [0, *self.num_edges.cumsum(0).tolist()]
        graph_of_node = _repeated(torch.arange(num_graphs), self.sizes, self.x.device)
        for start in range(0, num_graphs, batch_size):
            stop = min(start + batch_size, num_graphs)
            nodes = slice(node_bounds[start], node_bounds[stop])
            edges = slice(edge_bounds[start], edge_bounds[stop])
            graphs = GraphBatch(
                self.x[nodes],
                self.edge_index[:, edges] - nodes.start,
                self.sizes[start:stop],
                graph_of_node[nodes] - start,
            )
            yield graphs, self.labels[start:stop]


def resident(graphs: GraphSet, mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> ResidentGraphs:
    """Return graphs on a device, each feature less its mean and divided by its standard deviation."""
    x = (torch.tensor(graphs.x) - torch.tensor(mean)) / torch.tensor(std)
    return ResidentGraphs(
        x.to(device),
        torch.tensor(graphs.edge_index).to(device),
        torch.tensor(graphs.sizes),
        torch.tensor(graphs.num_edges),
        torch.tensor(graphs.labels).to(device),
    )


def _starts(lengths: Tensor) -> Tensor:
    return lengths.cumsum(0) - lengths


def _positions(begin: Tensor, lengths: Tensor, device: torch.device) -> Tensor:
    """Return ``begin[0], begin[0] + 1, ...`` of each block, block after block; see `gnn_space.data.ranges`."""
    moved = _repeated(begin - _starts(lengths), lengths, device)
    return moved + torch.arange(moved.shape[0], device=device)


def _repeated(values: Tensor, lengths: Tensor, device: torch.device) -> Tensor:
    """Return each of the `values`, which are on the CPU like the `lengths`, as often as its length says."""
    total = int(lengths.sum())
    return torch.repeat_interleave(values.to(device), lengths.to(device), output_size=total)
