"""HGP-SL with dense matrices, as one would write it down: what the operator of gnn_space is compared with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn.pool.connect.filter_edges import filter_adj
from torch_geometric.utils import to_dense_adj, to_dense_batch

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.hgpsl import HGPSLPooling
from gnn_space.pooling.pooled import Pooled, kept_sizes

MASKED = -1e3  # a logit that never gets a weight


class DenseOverBatchPooling(nn.Module):
    """HGP-SL with one matrix over the kept nodes of all graphs, all pairs, sparsemax.

    Goes the way of the authors' code (Zhang et al. 2019, arXiv:1911.05954): blocks of ones are written into the matrix
    graph by graph, the pairs are where it is not 0, the features of both ends are put beside each other, logits and
    weights go through the matrix. Rows are those of the operator, and its score and selection are used.
    """

    def __init__(self, operator: HGPSLPooling) -> None:
        """Share selection and attention vector with an operator."""
        super().__init__()
        self.select = operator.select
        self.attention = operator.get_parameter("connect.attention")

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""
        kept = self.select(graphs).node_index
        sizes = kept_sizes(graphs.sizes, self.select.ratio)
        x, num_kept = graphs.x[kept], len(kept)
        matrix = x.new_zeros(num_kept, num_kept)
        first = 0
        for size in sizes.tolist():
            matrix[first : first + size, first : first + size] = 1.0
            first += size
        row, column = matrix.nonzero().t()
        logits = F.leaky_relu((torch.cat((x[row], x[column]), dim=1) * self.attention).sum(1), 0.2)
        matrix[row, column] = logits
        (source, target), weight = filter_adj(graphs.edge_index, graphs.edge_weight, kept, num_nodes=graphs.num_nodes)
        weight = x.new_ones(len(source)) if weight is None else weight
        matrix = matrix.index_put((target, source), weight, accumulate=True)
        batch = graphs.batch[kept]
        place = column - (sizes.cumsum(0) - sizes)[batch[row]]
        rows = x.new_full((num_kept, int(sizes.max())), MASKED).index_put((row, place), matrix[row, column])
        matrix = matrix.index_put((row, column), _row_sparsemax(rows)[row, place])
        row, column = matrix.nonzero().t()
        return Pooled(GraphBatch(x, torch.stack((column, row)), sizes, batch, matrix[row, column]), kept)


class PaddedPooling(nn.Module):
    """HGP-SL with every graph padded to the largest of the batch: random walk, all pairs, sparsemax."""

    def __init__(self, operator: HGPSLPooling) -> None:
        """Share ratio and attention vector with an operator."""
        super().__init__()
        self.ratio = operator.select.ratio
        self.attention = operator.get_parameter("connect.attention")

    def forward(self, graphs: GraphBatch) -> tuple[Tensor, Tensor]:
        """Return features (num_graphs, size, channels) and weights (num_graphs, size, size), zeros where padded."""
        x, there = to_dense_batch(graphs.x, graphs.batch, batch_size=graphs.num_graphs)
        # (graph, target, source)
        adjacency = to_dense_adj(graphs.edge_index, graphs.batch, graphs.edge_weight, batch_size=graphs.num_graphs)
        adjacency = adjacency.transpose(1, 2)
        sizes = kept_sizes(graphs.sizes, self.ratio)
        with torch.no_grad():
            walk = adjacency / adjacency.sum(2, keepdim=True).clamp(min=1e-12)
            score = (x - walk @ x).abs().sum(2).masked_fill(~there, -1.0)
            kept = torch.topk(score, int(sizes.max()), dim=1).indices
            inside = torch.arange(kept.shape[1]) < sizes.unsqueeze(1)
        x = x.gather(1, kept.unsqueeze(2).expand(-1, -1, x.shape[2])) * inside.unsqueeze(2)
        adjacency = adjacency.gather(1, kept.unsqueeze(2).expand(-1, -1, adjacency.shape[2]))
        adjacency = adjacency.gather(2, kept.unsqueeze(1).expand(-1, kept.shape[1], -1))
        of_target, of_source = (x @ self.attention.view(2, -1).t()).unbind(2)
        logits = F.leaky_relu(of_target.unsqueeze(2) + of_source.unsqueeze(1), 0.2) + adjacency
        weights = _row_sparsemax(logits.masked_fill(~inside.unsqueeze(1), MASKED))
        return x, weights * (inside.unsqueeze(1) & inside.unsqueeze(2))


def _row_sparsemax(logits: Tensor) -> Tensor:
    """Return the sparsemax over the last axis."""
    with torch.no_grad():
        falling = torch.sort(logits, dim=-1, descending=True).values
        rank = torch.arange(1, logits.shape[-1] + 1)
        size = (1 + rank * falling > falling.cumsum(-1)).sum(-1, keepdim=True)
        inside = logits >= falling.gather(-1, size - 1)
    tau = ((logits * inside).sum(-1, keepdim=True) - 1) / inside.sum(-1, keepdim=True)
    return (logits - tau).clamp(min=0)
