"""The HGP-SL operator against dense matrices, with its symmetries and its gradients."""

from __future__ import annotations

import dense_hgpsl
import pytest
import torch
from torch import Tensor

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.pooling.hgpsl import HGPSLPooling, Structure
from gnn_space.pooling.information_score import information_score, random_walk, symmetric

CHANNELS = 4
STRUCTURES: tuple[Structure, ...] = (
    "none",
    "sparsemax_all_pairs",
    "softmax_all_pairs",
    "sparsemax_k_hop",
    "softmax_k_hop",
)
LEARNT = STRUCTURES[1:]


def random_graphs(seed: int, sizes: list[int], num_edges: list[int], *, weighted: bool) -> GraphBatch:
    """Returns graphs with edges in both directions, some of them parallel or loops."""
    generator = torch.Generator().manual_seed(seed)
    edges, first = [torch.zeros(2, 0, dtype=torch.int64)], 0
    for size, count in zip(sizes, num_edges, strict=True):
        ends = first + torch.randint(max(size, 1), (2, count if size else 0), generator=generator)
        edges += [ends, ends.flip(0)]
        first += size
    edge_index = torch.cat(edges, 1)
    x = torch.randn(first, CHANNELS, generator=generator, dtype=torch.float64)
    weight = 0.1 + torch.rand(edge_index.shape[1], generator=generator, dtype=torch.float64) if weighted else None
    return graph_batch(x, edge_index, torch.tensor(sizes), edge_weight=weight)


def operator(structure: Structure, ratio: float = 0.5, **settings: object) -> HGPSLPooling:
    pooling = HGPSLPooling(CHANNELS, ratio, structure, **settings).double()  # type: ignore[arg-type]  # any setting
    generator = torch.Generator().manual_seed(3)
    for parameter in pooling.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return pooling


def attention(pooling: HGPSLPooling) -> Tensor | None:
    return next(pooling.parameters(), None)


def dense(edge_index: Tensor, edge_weight: Tensor | None, num_nodes: int) -> Tensor:
    """Returns the matrix with the weight of the edge from j to i at (i, j)."""
    weight = torch.ones(edge_index.shape[1], dtype=torch.float64) if edge_weight is None else edge_weight
    at = edge_index[1] * num_nodes + edge_index[0]
    return torch.zeros(num_nodes**2, dtype=torch.float64).index_add(0, at, weight).view(num_nodes, num_nodes)


def separate(graphs: GraphBatch) -> list[GraphBatch]:
    """Returns each graph as a batch of its own."""
    found = []
    for number, (first, size) in enumerate(
        zip((graphs.sizes.cumsum(0) - graphs.sizes).tolist(), graphs.sizes.tolist(), strict=True)
    ):
        edges = graphs.batch[graphs.edge_index[0]] == number
        weight = None if graphs.edge_weight is None else graphs.edge_weight[edges]
        edge_index = graphs.edge_index[:, edges] - first
        found.append(graph_batch(graphs.x[first : first + size], edge_index, torch.tensor([size]), edge_weight=weight))
    return found


@pytest.mark.parametrize("normalization", ["random_walk", "symmetric"])
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("static_shapes", [False, True])
def test_it_is_what_dense_matrices_give(
    structure: Structure, normalization: str, weighted: bool, static_shapes: bool
) -> None:
    # a sparse graph, a dense one, one without edges, a disconnected one
    graphs = random_graphs(0, [11, 6, 3, 14], [12, 15, 0, 5], weighted=weighted)
    pooling = operator(structure, normalization=normalization, num_hops=2, static_shapes=static_shapes)
    pooled = pooling(graphs)
    assert pooled.graphs.sizes.tolist() == [6, 3, 2, 7]
    assert torch.equal(pooled.graphs.x, graphs.x[pooled.kept])
    assert torch.equal(pooled.graphs.batch, graphs.batch[pooled.kept])
    num_kept = len(pooled.kept)
    found = dense(pooled.graphs.edge_index, pooled.graphs.edge_weight, num_kept)
    first_node = first_kept = 0
    for alone in separate(graphs):
        kept, weights = dense_hgpsl.dense_hgpsl(
            alone.x,
            alone.edge_index,
            alone.edge_weight,
            attention(pooling),
            ratio=0.5,
            structure=structure,
            normalization=normalization,
            num_hops=2,
        )
        here = slice(first_kept, first_kept + len(kept))
        assert pooled.kept[here].tolist() == (first_node + kept).tolist()
        torch.testing.assert_close(found[here, here], weights, rtol=0, atol=1e-12)
        found[here, here] = 0.0
        first_node, first_kept = first_node + len(alone.x), first_kept + len(kept)
    assert not found.any(), "an edge joins two graphs"


@pytest.mark.parametrize("structure", LEARNT)
@pytest.mark.parametrize("static_shapes", [False, True])
def test_gradients_are_those_of_dense_matrices(structure: Structure, static_shapes: bool) -> None:
    graphs = random_graphs(1, [12], [14], weighted=True)
    assert graphs.edge_weight is not None
    pooling = operator(structure, 0.7, static_shapes=static_shapes, adjacency_weight=0.6)
    given = (graphs.x.requires_grad_(), graphs.edge_weight.requires_grad_(), *pooling.parameters())
    pooled = pooling(graphs)
    _, weights = dense_hgpsl.dense_hgpsl(
        graphs.x,
        graphs.edge_index,
        graphs.edge_weight,
        attention(pooling),
        ratio=0.7,
        structure=structure,
        normalization="random_walk",
        adjacency_weight=0.6,
    )
    found = dense(pooled.graphs.edge_index, pooled.graphs.edge_weight, len(pooled.kept))
    matter = torch.randn(weights.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = torch.autograd.grad((weights * matter).sum(), given)
    for mine, theirs in zip(torch.autograd.grad((found * matter).sum(), given), expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)
        assert theirs.any()


@pytest.mark.parametrize("structure", STRUCTURES)
def test_a_batch_equals_its_graphs_one_by_one(structure: Structure) -> None:
    graphs = random_graphs(2, [9, 0, 1, 13, 0, 6], [10, 0, 0, 20, 0, 2], weighted=True)
    pooling = operator(structure)
    together = pooling(graphs)
    alone = [pooling(each) for each in separate(graphs)]
    shift = (graphs.sizes.cumsum(0) - graphs.sizes).tolist()
    kept = torch.cat([each.kept + first for each, first in zip(alone, shift, strict=True)])
    assert torch.equal(together.kept, kept)
    assert together.graphs.sizes.tolist() == [5, 0, 1, 7, 0, 3]
    matrices = [dense(each.graphs.edge_index, each.graphs.edge_weight, len(each.kept)) for each in alone]
    found = dense(together.graphs.edge_index, together.graphs.edge_weight, len(kept))
    torch.testing.assert_close(found, torch.block_diag(*matrices), rtol=0, atol=1e-12)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_it_is_equivariant_under_permutations_of_the_nodes(structure: Structure) -> None:
    graphs = random_graphs(4, [13], [18], weighted=True)
    number = torch.randperm(13, generator=torch.Generator().manual_seed(1))  # new number of each node
    permuted = graph_batch(
        graphs.x[torch.argsort(number)], number[graphs.edge_index], graphs.sizes, edge_weight=graphs.edge_weight
    )
    pooling = operator(structure)
    first, second = pooling(graphs), pooling(permuted)
    moved = number[first.kept]
    assert sorted(moved.tolist()) == second.kept.tolist()
    order = torch.argsort(moved)
    weights = dense(first.graphs.edge_index, first.graphs.edge_weight, len(order))[order][:, order]
    found = dense(second.graphs.edge_index, second.graphs.edge_weight, len(order))
    torch.testing.assert_close(found, weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("structure", LEARNT)
@pytest.mark.parametrize("static_shapes", [False, True])
def test_weights_into_a_node_add_up_to_1(structure: Structure, static_shapes: bool) -> None:
    graphs = random_graphs(5, [20, 1, 7], [15, 0, 9], weighted=False)
    pooled = operator(structure, static_shapes=static_shapes)(graphs).graphs
    assert pooled.edge_weight is not None
    assert (pooled.edge_weight >= 0).all()
    assert static_shapes or (pooled.edge_weight > 0).all()
    into = torch.zeros(pooled.num_nodes, dtype=torch.float64).index_add(0, pooled.edge_index[1], pooled.edge_weight)
    torch.testing.assert_close(into, torch.ones_like(into), rtol=0, atol=1e-12)


def test_information_of_a_path_by_hand() -> None:
    # 0 - 1 - 2, and 3 alone: (I - D^-1 A) x with x = 1, 5, 2, -7 is -4, 5 - 1.5, -3, -7
    edge_index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    x = torch.tensor([[1.0], [5.0], [2.0], [-7.0]], dtype=torch.float64)
    assert information_score(x, edge_index, None, random_walk).tolist() == [4.0, 3.5, 3.0, 7.0]
    root = 0.5**0.5
    expected = [5 * root - 1, 5 - 3 * root, 5 * root - 2, 7.0]
    assert information_score(x, edge_index, None, symmetric).tolist() == pytest.approx(expected)


def test_the_row_of_a_directed_edge_is_its_target() -> None:
    x = torch.tensor([[1.0], [5.0]], dtype=torch.float64)
    edge_index = torch.tensor([[0], [1]])
    assert information_score(x, edge_index, None, random_walk).tolist() == [1.0, 4.0]
