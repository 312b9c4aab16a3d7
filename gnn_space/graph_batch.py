"""A batch of graphs as one disconnected graph: what every graph network takes, and what flows between its blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class GraphBatch:
    """Graphs side by side, with the tensors that torch-geometric knows by the same names.

    The number of nodes of each graph is kept on the CPU too, so that shapes that follow from it (how many nodes a
    pooling keeps, how many pairs they make) are known without asking the accelerator.

    Attributes:
        x: features of the nodes (num_nodes, channels), the graphs one after the other.
        edge_index: edges (2, num_edges) int64 as (source, target), both directions listed; none joins two graphs.
        sizes: nodes of each graph (num_graphs,) int64, on the CPU.
        batch: graph of each node (num_nodes,) int64, rising.
        edge_weight: weights of the edges (num_edges,), at least 0; None is 1 for each.
        target_nodes: nodes (num_targets,) int64 whose outputs are asked for; None asks for one output a graph.
    """

    x: Tensor
    edge_index: Tensor
    sizes: Tensor
    batch: Tensor
    edge_weight: Tensor | None = None
    target_nodes: Tensor | None = None

    @property
    def num_nodes(self) -> int:
        """Number of nodes of all graphs together."""
        return self.x.shape[0]

    @property
    def num_graphs(self) -> int:
        """Number of graphs."""
        return self.sizes.shape[0]

    @property
    def device(self) -> torch.device:
        """Where the tensors are, but for `sizes`."""
        return self.x.device

    def __len__(self) -> int:
        """Return the number of examples: of graphs, or of the nodes that are asked for."""
        return self.num_graphs if self.target_nodes is None else self.target_nodes.shape[0]

    def __getitem__(self, index: slice) -> GraphBatch:
        """Return the first examples: ``graphs[:n]`` has the first n graphs, or all graphs and the first n target nodes.

        Raises:
            ValueError: the slice is another one.
        """
        if index.start not in (None, 0) or index.step not in (None, 1):
            raise ValueError(f"a batch of graphs has no {index}; take the first n as graphs[:n]")
        count = min(len(self), len(self) if index.stop is None else index.stop)
        if self.target_nodes is not None:
            return replace(self, target_nodes=self.target_nodes[:count])
        num_nodes = int(self.sizes[:count].sum())
        inside = self.edge_index[0] < num_nodes
        return GraphBatch(
            self.x[:num_nodes],
            self.edge_index[:, inside],
            self.sizes[:count],
            self.batch[:num_nodes],
            None if self.edge_weight is None else self.edge_weight[inside],
        )

    def to(self, device: torch.device | str) -> GraphBatch:
        """Return the batch on a device; `sizes` stays on the CPU."""
        return replace(
            self,
            x=self.x.to(device),
            edge_index=self.edge_index.to(device),
            batch=self.batch.to(device),
            edge_weight=None if self.edge_weight is None else self.edge_weight.to(device),
            target_nodes=None if self.target_nodes is None else self.target_nodes.to(device),
        )

    def with_gradient(self) -> GraphBatch:
        """Return the same graphs with features that gradients can flow to, cut off from where they came from."""
        return replace(self, x=self.x.detach().requires_grad_())

    def row_examples(self) -> Tensor:
        """Return the example (num_nodes,) that each node is of: its graph, or itself where it is asked for, else -1."""
        if self.target_nodes is None:
            return self.batch
        examples = torch.arange(len(self), device=self.device)
        return torch.full_like(self.batch, -1).index_copy(0, self.target_nodes, examples)

    def ones(self, dtype: torch.dtype) -> GraphBatch:
        """Return the same graphs with every feature 1, and all weights as numbers of that type."""
        weight = None if self.edge_weight is None else self.edge_weight.to(dtype)
        return replace(self, x=torch.ones_like(self.x, dtype=dtype), edge_weight=weight)


def graph_batch(
    x: Tensor,
    edge_index: Tensor,
    sizes: Tensor,
    *,
    edge_weight: Tensor | None = None,
    target_nodes: Tensor | None = None,
) -> GraphBatch:
    """Return a batch of graphs; see `GraphBatch` for the shapes.

    Args:
        x: features of the nodes.
        edge_index: edges.
        sizes: nodes of each graph, on the CPU.
        edge_weight: weights of the edges.
        target_nodes: nodes whose outputs are asked for.

    Raises:
        ValueError: the sizes do not add up to the number of nodes, or are not on the CPU.
    """
    if sizes.device.type != "cpu" or sizes.dtype != torch.int64 or sizes.ndim != 1:
        raise ValueError(f"sizes are {sizes.dtype} {tuple(sizes.shape)} on {sizes.device}; give int64 (graphs,) on cpu")
    num_nodes = int(sizes.sum())
    if num_nodes != x.shape[0]:
        raise ValueError(f"sizes add up to {num_nodes} nodes, and x has {x.shape[0]}; give the nodes of each graph")
    batch = torch.repeat_interleave(torch.arange(len(sizes)), sizes, output_size=num_nodes)
    return GraphBatch(x, edge_index, sizes, batch.to(x.device), edge_weight, target_nodes)
