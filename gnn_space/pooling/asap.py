"""Adaptive structure aware pooling: each node's neighborhood is a cluster, and the fittest clusters stay."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gnn_space.convolutions.edge_softmax import edge_softmax
from gnn_space.convolutions.message_passing import sum_by_target, weighted_sum, with_self_loops
from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.highest_scores import HighestScores
from gnn_space.pooling.pooled import Pooled
from gnn_space.pooling.sparse_product import SparseMatrix

NEGATIVE_SLOPE = 0.2


class ASAPooling(nn.Module):
    """Pools each node's neighborhood with attention, keeps the fittest clusters and joins them by S^T A S.

    A has a loop of weight 1 at each node. The query of cluster i is ``q_i = W max_j(x_j)``; the memberships S_ji are
    the softmax over j of ``LeakyReLU(a [q_i | x_j])``; the clusters are ``c_i = sum_j S_ji x_j`` and their fitness
    ``f_i = sigmoid(c_i w_3 + b_3 + sum_j A_ji (c_j w_1 + b_1 - c_i w_2))``. Clusters of the highest fitness stay with
    features ``f_i c_i``, and node i stands for its cluster. Ranjan, Sanyal and Talukdar 2020, arXiv:1911.07979.
    Follows the paper but for the convolution within clusters, as PyG's ASAPooling does without its GNN; no dropout of
    memberships.

    Weights: S_ji is proportional to A_ji, and a neighbor enters the maximum as ``x_i + min(A_ji, 1) (x_j - x_i)``, so
    that it fades with its weight. Edges of weight 0 are dropped, for whose number the host waits.

    Args:
        channels: channels of x.
        ratio: share of the nodes of each graph that is kept, in (0, 1].

    Raises:
        ValueError: the ratio is no such share.
    """

    def __init__(self, channels: int, ratio: float) -> None:
        super().__init__()
        self.highest = HighestScores(ratio)
        self.query = nn.Linear(channels, channels)
        self.attention_of_query = nn.Linear(channels, 1)
        self.attention_of_member = nn.Linear(channels, 1, bias=False)
        self.fitness_of_neighbor = nn.Linear(channels, 1)
        self.fitness_of_center = nn.Linear(channels, 1, bias=False)
        self.fitness_of_cluster = nn.Linear(channels, 1)

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch, whose edges have weights."""
        edges, weight = with_self_loops(graphs.x, graphs.edge_index, graphs.edge_weight)
        alive = weight > 0
        edges, weight = edges[:, alive], weight[alive]
        members = self._memberships(graphs.x, edges, weight)
        clusters = weighted_sum(graphs.x, edges, members)
        fitness = self._fitness(clusters, edges, weight)
        kept, sizes = self.highest.select(graphs, fitness)
        x = clusters.index_select(0, kept) * fitness.index_select(0, kept).unsqueeze(1)
        edge_index, edge_weight = _joined(edges, weight, members, kept, graphs.num_nodes)
        return Pooled(GraphBatch(x, edge_index, sizes, graphs.batch.index_select(0, kept), edge_weight), kept)

    def _memberships(self, x: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
        """Return how much the source of each edge belongs to the cluster of its target (num_edges,)."""
        center = x.index_select(0, edges[1])
        neighbors = center + weight.clamp(max=1).unsqueeze(1) * (x.index_select(0, edges[0]) - center)
        largest = x.to(neighbors.dtype).scatter_reduce(0, edges[1].unsqueeze(1).expand_as(neighbors), neighbors, "amax")
        of_query = self.attention_of_query(self.query(largest)).index_select(0, edges[1])
        scores = of_query + self.attention_of_member(x).index_select(0, edges[0])
        scores = functional.leaky_relu(scores, NEGATIVE_SLOPE)
        return edge_softmax(scores, edges, weight, x.shape[0]).squeeze(1)

    def _fitness(self, clusters: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
        """Return the fitness of each cluster (num_nodes,), in 0..1."""
        neighbors = self.fitness_of_neighbor(clusters).index_select(0, edges[0])
        difference = neighbors - self.fitness_of_center(clusters).index_select(0, edges[1])
        around = sum_by_target(weight.unsqueeze(1) * difference, edges, clusters.shape[0])
        return torch.sigmoid(self.fitness_of_cluster(clusters) + around).squeeze(1)

    def uncounted_flops(self, graphs: GraphBatch) -> int:
        """Return 4 (num_edges + num_nodes) channels + 2 (num_edges + num_nodes).

        That is the neighbors of the maximum, the clusters and the fitness. The product S^T A S is left out: its size
        depends on which clusters stay.
        """
        num_edges = graphs.edge_index.shape[1] + graphs.num_nodes
        return 4 * num_edges * graphs.x.shape[1] + 2 * num_edges


def _joined(edges: Tensor, weight: Tensor, members: Tensor, kept: Tensor, num_nodes: int) -> tuple[Tensor, Tensor]:
    """Return the edges (2, num) among the kept clusters and their weights, the entries of S^T A S off the diagonal."""
    number = kept.new_full((num_nodes,), -1).index_copy_(0, kept, torch.arange(len(kept), device=kept.device))
    column = number.index_select(0, edges[1])
    stays = column >= 0
    memberships = SparseMatrix(edges[0][stays], column[stays], members[stays], (num_nodes, len(kept)))
    adjacency = SparseMatrix(edges[0], edges[1], weight, (num_nodes, num_nodes))
    joined = memberships.transposed() @ (adjacency @ memberships)
    between = joined.rows != joined.columns
    return torch.stack([joined.rows[between], joined.columns[between]]), joined.values[between]
