"""HGP-SL: keep the nodes that their neighbors do not predict, and learn the edges among them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, TypeVar

from torch import Tensor, nn
from torch_geometric.nn.pool.connect import Connect
from torch_geometric.utils import softmax

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.candidate_pairs import PairsWithinHops, all_pairs
from gnn_space.pooling.induced_subgraph import InducedEdges, prune, weigh_dead_edges_0
from gnn_space.pooling.information_score import random_walk, symmetric
from gnn_space.pooling.pooled import Pooled, kept_sizes
from gnn_space.pooling.selection import SelectByInformation
from gnn_space.pooling.sparsemax import segment_sparsemax
from gnn_space.pooling.structure_learning import StructureLearning

Structure = Literal["none", "sparsemax_all_pairs", "softmax_all_pairs", "sparsemax_k_hop", "softmax_k_hop"]
Part = TypeVar("Part")


class HGPSLPooling(nn.Module):
    """Hierarchical graph pooling with structure learning.

    Of each graph the share `ratio` of nodes with the largest information score stays (`SelectByInformation`), with
    its features as they are; then their edges are those they had (`InducedEdges`), or learnt ones
    (`StructureLearning`). Nothing is dense over the batch: memory grows with the sum of the squares of the kept sizes
    (all pairs), or with the number of pairs within hops.

    Zhang et al. 2019 (HGP-SL, arXiv:1911.05954). Follows the paper with the default settings; the parts say where its
    authors' code differs. Gradients flow through the features and the learnt weights, and not through the choice of
    nodes. The output is equivariant under permutations of the nodes unless scores are equal: then the lower number is
    kept.
    """

    def __init__(
        self,
        channels: int,
        ratio: float,
        structure: Structure = "sparsemax_all_pairs",
        *,
        normalization: Literal["random_walk", "symmetric"] = "random_walk",
        adjacency_weight: float = 1.0,
        num_hops: int = 3,
        static_shapes: bool = False,
    ) -> None:
        """Choose the parts.

        Args:
            channels: features of a node.
            ratio: share of the nodes of each graph that is kept, in (0, 1].
            structure: "none" keeps the edges that there were; else how weights are normalized, and over which pairs.
            normalization: of the adjacency in the score, D^-1 A as in the paper or D^-1/2 A D^-1/2 as in its code.
            adjacency_weight: lambda, what an edge that was there adds to its pair, at least 0.
            num_hops: edges between the nodes of a pair, for the structures of k hops, at least 1.
            static_shapes: edges of weight 0 stay on the CPU too, as they always do elsewhere.

        Raises:
            ValueError: a setting is out of its range, or a name is unknown.
        """
        super().__init__()
        self.select = SelectByInformation(ratio, _named("normalization", normalization, NORMALIZATIONS))
        dead = weigh_dead_edges_0 if static_shapes else prune
        learnt = partial(StructureLearning, channels, adjacency_weight=adjacency_weight, prune=dead)
        hops = PairsWithinHops(num_hops)
        structures: dict[str, Callable[[], Connect]] = {
            "none": partial(InducedEdges, dead),
            "sparsemax_all_pairs": partial(learnt, all_pairs, segment_sparsemax),
            "softmax_all_pairs": partial(learnt, all_pairs, segment_softmax),
            "sparsemax_k_hop": partial(learnt, hops, segment_sparsemax),
            "softmax_k_hop": partial(learnt, hops, segment_softmax),
        }
        self.connect = _named("structure", structure, structures)()

    def forward(self, graphs: GraphBatch) -> Pooled:
        """Return the pooled batch."""
        selected = self.select(graphs)
        kept = selected.node_index
        x = graphs.x.index_select(0, kept)
        sizes = kept_sizes(graphs.sizes, self.select.ratio)
        edges = self.connect(selected, graphs.edge_index, graphs.edge_weight, graphs.batch, x, sizes)
        return Pooled(GraphBatch(x, edges.edge_index, sizes, edges.batch, edges.edge_attr), kept)

    def uncounted_flops(self, graphs: GraphBatch) -> int:
        """Return ``2 * num_edges * channels``, the weighted sums of neighbors in the score."""
        return 2 * graphs.edge_index.shape[1] * graphs.x.shape[1]


def segment_softmax(values: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    """Return the softmax over each segment of a vector, by torch-geometric; see `segment_sparsemax` for the shapes."""
    weights: Tensor = softmax(values, segment, num_nodes=num_segments)
    return weights


NORMALIZATIONS = {"random_walk": random_walk, "symmetric": symmetric}


def _named(what: str, name: str, parts: dict[str, Part]) -> Part:
    if name not in parts:
        raise ValueError(f"{what} is {name!r}; give one of {', '.join(parts)}")
    return parts[name]
