"""Learn the edges among kept nodes from their features and the edges that they had."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch_geometric.nn.pool.connect import Connect, ConnectOutput
from torch_geometric.nn.pool.select import SelectOutput

from gnn_space.pooling.candidate_pairs import Candidates
from gnn_space.pooling.induced_subgraph import Prune, graph_and_sizes, induced_subgraph, prune

NormalizeRows = Callable[[Tensor, Tensor, int], Tensor]


class StructureLearning(Connect):
    """Connects kept nodes by edges whose weights are attention, normalized over each node's candidates.

    E_ij = LeakyReLU(a . [x_i | x_j]) + lambda A_ij, and the weight of the edge from j to i is
    S_ij = normalize_j(E_ij): the weights of the edges into a node add up to 1. The product a . [x_i | x_j] is one
    number of i plus one of j, so that a pair costs two look-ups whatever the number of channels.

    Zhang et al. 2019 (HGP-SL, arXiv:1911.05954). Follows the paper, row i of S being what node i receives. The authors'
    code normalizes over each source instead, so that with torch-geometric's direction of messages the weights into a
    node do not add up to 1. The self pair is a candidate, as in their code.

    Weights that are exactly 0 are dropped on the CPU, and stay as edges of weight 0 elsewhere; see `prune`.
    """

    def __init__(
        self,
        channels: int,
        candidates: Candidates,
        normalize: NormalizeRows,
        *,
        adjacency_weight: float = 1.0,
        negative_slope: float = 0.2,
        prune: Prune = prune,
    ) -> None:
        """Make the attention vector, which is 0 until it is initialized.

        Args:
            channels: features of a node.
            candidates: which pairs may be joined.
            normalize: takes values (num_pairs,), their rows and the number of rows to weights with sum 1 a row.
            adjacency_weight: lambda, what an edge that was there adds, at least 0.
            negative_slope: of the LeakyReLU.
            prune: what becomes of edges that lost an end, or whose weight is 0.
        """
        super().__init__()
        self.attention = nn.Parameter(torch.zeros(1, 2 * channels))
        self.candidates = candidates
        self.normalize = normalize
        self.adjacency_weight = adjacency_weight
        self.negative_slope = negative_slope
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
        """Return the learnt edges, their weights and the graph of each kept node.

        Gradients flow to the attention vector, to x and to the weights of the edges that were there.

        Args:
            select_output: the kept nodes, rising, each a cluster of its own.
            edge_index: edges (2, num_edges) before the pooling, none between two graphs.
            edge_attr: their weights (num_edges,), at least 0; None is 1 for each.
            batch: graph of each node (num_nodes,), rising; None: all are of one graph.
            x: features of the kept nodes (num_kept, channels).
            sizes: kept nodes of each graph (num_graphs,) int64, on the CPU; None: they are counted, for which the host
                waits.

        Raises:
            ValueError: there are no features.
        """
        if x is None:
            raise ValueError("x is None, and edges are learnt from features; give x (num_kept, channels)")
        graph, sizes = graph_and_sizes(select_output, batch, sizes)
        subgraph = induced_subgraph(select_output, edge_index, edge_attr, graph, sizes, self.prune)
        pairs = self.candidates(subgraph, x.dtype)
        of_target, of_source = (x @ self.attention.view(2, -1).t()).unbind(1)
        logits = of_target.index_select(0, pairs.target) + of_source.index_select(0, pairs.source)
        logits = F.leaky_relu(logits, self.negative_slope) + self.adjacency_weight * pairs.adjacency
        weights = self.normalize(logits, pairs.target, subgraph.num_kept)
        learnt, kept_weights = self.prune(torch.stack((pairs.source, pairs.target)), weights, weights > 0)
        return ConnectOutput(learnt, kept_weights, graph.index_select(0, subgraph.kept))
