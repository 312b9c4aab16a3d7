"""The edges among kept nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch_geometric.nn.pool.connect import Connect, ConnectOutput
from torch_geometric.nn.pool.select import SelectOutput

Prune = Callable[[Tensor, Tensor | None, Tensor], tuple[Tensor, Tensor | None]]


def drop_dead_edges(edge_index: Tensor, edge_weight: Tensor | None, alive: Tensor) -> tuple[Tensor, Tensor | None]:
    """Return the living edges alone; how many there are is asked of the device."""
    living = torch.nonzero(alive).squeeze(1)
    if len(living) == len(alive):
        return edge_index, edge_weight
    weight = None if edge_weight is None else edge_weight.index_select(0, living)
    return edge_index.index_select(1, living), weight


def weigh_dead_edges_0(edge_index: Tensor, edge_weight: Tensor | None, alive: Tensor) -> tuple[Tensor, Tensor]:
    """Return all edges, the dead ones with weight 0, which is no edge: nothing is asked of the device."""
    weight = alive.to(torch.get_default_dtype()) if edge_weight is None else edge_weight * alive
    return edge_index, weight


def prune(edge_index: Tensor, edge_weight: Tensor | None, alive: Tensor) -> tuple[Tensor, Tensor | None]:
    """Drop dead edges on the CPU, where that is free and saves work; elsewhere give them weight 0."""
    chosen: Prune = drop_dead_edges if alive.device.type == "cpu" else weigh_dead_edges_0
    return chosen(edge_index, edge_weight, alive)


@dataclass(frozen=True, eq=False)
class InducedSubgraph:
    """Kept nodes, the edges among them in their numbering, and the graph that they are from.

    Attributes:
        kept: (num_kept,) the number of each node before, rising.
        sizes: kept nodes of each graph (num_graphs,) int64, on the CPU.
        edge_index: (2, num_induced_edges), new numbers.
        edge_weight: (num_induced_edges,) or None for 1 each.
        whole_edge_index: (2, num_edges), the numbers before.
        whole_edge_weight: (num_edges,) or None for 1 each.
        new_number: (num_nodes,) the new number of each node that was kept, -1 of the others.
    """

    kept: Tensor
    sizes: Tensor
    edge_index: Tensor
    edge_weight: Tensor | None
    whole_edge_index: Tensor
    whole_edge_weight: Tensor | None
    new_number: Tensor

    @property
    def num_kept(self) -> int:
        """Number of kept nodes."""
        return self.kept.shape[0]


def induced_subgraph(
    selected: SelectOutput,
    edge_index: Tensor,
    edge_weight: Tensor | None,
    batch: Tensor,
    sizes: Tensor,
    prune: Prune,
) -> InducedSubgraph:
    """Return the subgraph of the selected nodes.

    An edge is dead when it has lost an end. Where it stays with weight 0, it is a loop at the first kept node of its
    graph.

    Args:
        selected: each cluster one node; nodes rising.
        edge_index: (2, num_edges), none between two graphs.
        edge_weight: (num_edges,) or None.
        batch: graph of each node (num_nodes,).
        sizes: kept nodes of each graph (num_graphs,) int64, on the CPU.
        prune: what becomes of dead edges.
    """
    kept = selected.node_index
    number = kept.new_full((selected.num_nodes,), -1).index_copy_(0, kept, selected.cluster_index)
    renumbered = number.index_select(0, edge_index.reshape(-1)).view(2, -1)
    alive = (renumbered[0] >= 0) & (renumbered[1] >= 0)
    first_kept = (sizes.cumsum(0) - sizes).to(kept.device, non_blocking=True)
    stand_in = first_kept.index_select(0, batch.index_select(0, edge_index[0]))
    induced, weight = prune(torch.where(alive, renumbered, stand_in), edge_weight, alive)
    return InducedSubgraph(kept, sizes, induced, weight, edge_index, edge_weight, number)


class InducedEdges(Connect):
    """Connects kept nodes by the edges that they had: torch-geometric's `FilterEdges`, without asking the device.

    Follows `FilterEdges` where dead edges are dropped.
    """

    def __init__(self, prune: Prune = prune) -> None:
        """Hold what becomes of edges that lost an end."""
        super().__init__()
        self.prune = prune

    def forward(
        self,
        select_output: SelectOutput,
        edge_index: Tensor,
        edge_attr: Tensor | None = None,
        batch: Tensor | None = None,
        x: Tensor | None = None,
        sizes: Tensor | None = None,
    ) -> ConnectOutput:
        """Return the edges, their weights and the graph of each kept node; see `StructureLearning.forward`."""
        graph, sizes = graph_and_sizes(select_output, batch, sizes)
        found = induced_subgraph(select_output, edge_index, edge_attr, graph, sizes, self.prune)
        weight = found.edge_weight
        if weight is not None and x is not None:
            weight = weight.to(x.dtype)
        return ConnectOutput(found.edge_index, weight, graph.index_select(0, found.kept))


def graph_and_sizes(selected: SelectOutput, batch: Tensor | None, sizes: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the graph of each node, and the number of kept nodes of each graph on the CPU.

    Args:
        selected: the kept nodes.
        batch: graph of each node; None: all are of one graph.
        sizes: None: they are counted, for which the host waits.
    """
    graph = selected.node_index.new_zeros(selected.num_nodes) if batch is None else batch
    if sizes is None:
        num_graphs = int(graph.max()) + 1 if len(graph) else 0
        sizes = torch.bincount(graph.index_select(0, selected.node_index), minlength=num_graphs).cpu()
    return graph, sizes
