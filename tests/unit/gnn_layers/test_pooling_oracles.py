"""The poolings against torch-geometric's own with the same parameters, and their parts against plain loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import filled, random_graphs
from torch import Tensor, nn
from torch_geometric.nn import pool as published
from torch_geometric.nn.conv import GCNConv

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.edge import EdgePooling
from gnn_space.pooling.matching import greedy_matching
from gnn_space.pooling.named import pooling
from gnn_space.pooling.sparse_product import SparseMatrix

CHANNELS = 4
SIZES = [11, 1, 14, 12]  # large enough that no two nodes have the same neighbors, and so the same score


def made(name: str) -> nn.Module:
    return filled(lambda: pooling(name, CHANNELS, ratio=0.5, structure="none"))


def adjacency(edge_index: Tensor, weight: Tensor | None, num_nodes: int) -> Tensor:
    weight = torch.ones(edge_index.shape[1], dtype=torch.float64) if weight is None else weight
    matrix = torch.zeros(num_nodes, num_nodes, dtype=torch.float64)
    return matrix.index_put(tuple(edge_index), weight, accumulate=True)


def assert_same(ours: nn.Module, theirs: nn.Module, graphs: GraphBatch) -> None:
    """Compare a pooling of ours with one of torch-geometric that keeps nodes in the order of their scores."""
    found = ours(graphs)
    x, edge_index, weight, batch, kept, *_ = theirs(graphs.x, graphs.edge_index, graphs.edge_weight, graphs.batch)
    places = torch.argsort(kept)
    assert found.kept.tolist() == kept[places].tolist()
    assert found.graphs.batch.tolist() == batch[places].tolist()
    torch.testing.assert_close(found.graphs.x, x[places])
    expected = adjacency(edge_index, weight, len(kept))[places][:, places]
    torch.testing.assert_close(adjacency(found.graphs.edge_index, found.graphs.edge_weight, len(kept)), expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_topk(weighted: bool, seed: int) -> None:
    ours, theirs = made("topk"), published.TopKPooling(CHANNELS, ratio=0.5).double()
    theirs.load_state_dict({"select.weight": ours.projection.detach().unsqueeze(0)})
    assert_same(ours, theirs, random_graphs(SIZES, CHANNELS, seed, weighted=weighted))


@pytest.mark.parametrize("seed", range(3))
def test_sag(seed: int) -> None:
    ours, theirs = made("sag"), published.SAGPooling(CHANNELS, ratio=0.5, GNN=GCNConv).double()
    state = ours.state_dict()
    theirs.load_state_dict(
        {
            "gnn.lin.weight": state["score.linear.weight"],
            "gnn.bias": state["score.bias"],
            "select.weight": torch.ones(1, 1, dtype=torch.float64),
        }
    )
    assert_same(ours, theirs, random_graphs(SIZES, CHANNELS, seed, weighted=False))


@pytest.mark.filterwarnings("ignore:Sparse")  # CSR is in beta; invariants are not checked
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_asap(directed: bool, seed: int) -> None:
    ours, theirs = made("asap"), published.ASAPooling(CHANNELS, ratio=0.5).double()
    state = ours.state_dict()
    theirs.load_state_dict(
        {
            "lin.weight": state["query.weight"],
            "lin.bias": state["query.bias"],
            "att.weight": torch.cat([state["attention_of_query.weight"], state["attention_of_member.weight"]], dim=1),
            "att.bias": state["attention_of_query.bias"],
            "gnn_score.lin1.weight": state["fitness_of_neighbor.weight"],
            "gnn_score.lin1.bias": state["fitness_of_neighbor.bias"],
            "gnn_score.lin2.weight": state["fitness_of_center.weight"],
            "gnn_score.lin3.weight": state["fitness_of_cluster.weight"],
            "gnn_score.lin3.bias": state["fitness_of_cluster.bias"],
            "select.weight": torch.ones(1, 1, dtype=torch.float64),
        }
    )
    graphs = random_graphs(SIZES, CHANNELS, seed, weighted=False, directed=directed)
    ones = torch.ones(graphs.edge_index.shape[1], dtype=torch.float64)
    assert_same(ours, theirs, GraphBatch(graphs.x, graphs.edge_index, graphs.sizes, graphs.batch, ones))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_edge(directed: bool, seed: int) -> None:
    ours, theirs = made("edge"), published.EdgePooling(CHANNELS).double()
    state = ours.state_dict()
    weight = torch.cat([state["score_of_source.weight"], state["score_of_target.weight"]], dim=1)
    theirs.load_state_dict({"lin.weight": weight, "lin.bias": state["score_of_source.bias"]})
    graphs = random_graphs(SIZES, CHANNELS, seed, weighted=False, directed=directed, density=0.7)
    found = ours(graphs)
    x, edge_index, batch, unpooling = theirs(graphs.x, graphs.edge_index, graphs.batch)
    # the first node of each of their clusters, which is the one that represents it here
    cluster = unpooling.cluster.tolist()
    kept = [node for node in range(len(cluster)) if cluster.index(cluster[node]) == node]
    places = torch.tensor([cluster[node] for node in kept])
    assert found.kept.tolist() == kept
    assert found.graphs.batch.tolist() == batch[places].tolist()
    torch.testing.assert_close(found.graphs.x, x[places])
    expected = adjacency(edge_index, None, len(kept))[places][:, places].fill_diagonal_(0)
    assert found.graphs.edge_weight is None
    torch.testing.assert_close(adjacency(found.graphs.edge_index, None, len(kept)), expected)


def test_edge_pooling_by_hand() -> None:
    # 3 - 0 - 2 - 1; scores are 1/2 + softmax of the source's first feature over the edges into a node:
    # into 1 and into 3 there is one edge each, so 2 -> 1 and 0 -> 3 score 1.5 and are contracted
    pool = filled(lambda: EdgePooling(1))
    with torch.no_grad():
        for parameter in pool.parameters():
            parameter.fill_(1)
    x = torch.tensor([[1.0], [2.0], [3.0], [4.0]], dtype=torch.float64)
    edges = torch.tensor([[0, 3, 0, 2, 2, 1], [3, 0, 2, 0, 1, 2]])
    weight = torch.tensor([1.0, 1.0, 0.25, 0.5, 1.0, 1.0], dtype=torch.float64)
    graphs = GraphBatch(x, edges, torch.tensor([4]), torch.zeros(4, dtype=torch.int64), weight)
    found = pool(graphs)
    assert found.kept.tolist() == [0, 1]
    assert found.graphs.x.tolist() == [[7.5], [7.5]]
    assert found.graphs.edge_index.tolist() == [[0, 1], [1, 0]]
    assert found.graphs.edge_weight.tolist() == [0.25, 0.5]


@given(
    num_nodes=st.integers(1, 12), num_edges=st.integers(0, 40), levels=st.integers(1, 50), seed=st.integers(0, 2**16)
)
@settings(max_examples=60, deadline=None)
def test_the_matching_is_the_sequential_one(num_nodes: int, num_edges: int, levels: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    edges = torch.randint(num_nodes, (2, num_edges), generator=generator)
    edges = edges[:, edges[0] != edges[1]]
    scores = torch.randint(levels, (edges.shape[1],), generator=generator).double()
    free, expected = set(range(num_nodes)), []
    for edge in sorted(range(len(scores)), key=lambda edge: (-scores[edge].item(), edge)):
        ends = set(edges[:, edge].tolist())
        if ends <= free:
            expected.append(edge)
            free -= ends
    assert greedy_matching(edges, scores, num_nodes).tolist() == sorted(expected)


@given(shape=st.tuples(*[st.integers(0, 5)] * 3), seed=st.integers(0, 2**16))
@settings(max_examples=40, deadline=None)
def test_the_sparse_product_is_the_dense_one(shape: tuple[int, int, int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    matrices = []
    for rows, columns in (shape[:2], shape[1:]):
        values = torch.rand(rows, columns, generator=generator, dtype=torch.float64)
        matrices.append(values * (torch.rand(rows, columns, generator=generator) < 0.5))
    sparse = [SparseMatrix(*matrix.nonzero().T, matrix[matrix != 0], tuple(matrix.shape)) for matrix in matrices]
    found = sparse[0] @ sparse[1]
    places = (found.rows * max(shape[2], 1) + found.columns).tolist()
    assert places == sorted(set(places))
    dense = torch.zeros(found.shape, dtype=torch.float64).index_put((found.rows, found.columns), found.values)
    torch.testing.assert_close(dense, matrices[0] @ matrices[1])
    torch.testing.assert_close(found.transposed().values, found.values)
