"""What every pooling promises, for each name there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_graphs import filled, permutation_within_graphs, random_graphs, renumbered, separate
from torch import Tensor, nn

from gnn_space.graph_batch import GraphBatch
from gnn_space.pooling.named import NAMES, USES_RATIO, pooling
from gnn_space.pooling.pooled import Pooled, kept_sizes

CHANNELS = 3
SIZES = [4, 0, 1, 6, 2]
RATIO = 0.6

each = pytest.mark.parametrize("name", NAMES)


def made(name: str, ratio: float = RATIO) -> nn.Module:
    return filled(lambda: pooling(name, CHANNELS, ratio=ratio, structure="sparsemax_all_pairs"))


def dense(graphs: GraphBatch) -> Tensor:
    """Return the weighted adjacency (num_nodes, num_nodes) by source and target."""
    weight = graphs.edge_weight
    weight = torch.ones(graphs.edge_index.shape[1], dtype=torch.float64) if weight is None else weight
    matrix = torch.zeros(graphs.num_nodes, graphs.num_nodes, dtype=torch.float64)
    return matrix.index_put(tuple(graphs.edge_index), weight, accumulate=True)


def assert_close(first: Pooled, second: Pooled) -> None:
    assert first.kept.tolist() == second.kept.tolist()
    assert first.graphs.sizes.tolist() == second.graphs.sizes.tolist()
    torch.testing.assert_close(first.graphs.x, second.graphs.x)
    torch.testing.assert_close(dense(first.graphs), dense(second.graphs))


@each
@pytest.mark.parametrize("weighted", [False, True])
def test_a_pooled_batch_is_a_batch(name: str, weighted: bool) -> None:
    graphs = random_graphs(SIZES, CHANNELS, 0, weighted=weighted)
    pooled = made(name)(graphs)
    found, kept = pooled.graphs, pooled.kept
    assert kept.tolist() == sorted(set(kept.tolist()))
    assert found.batch.tolist() == graphs.batch[kept].tolist()
    assert found.sizes.tolist() == torch.bincount(found.batch, minlength=len(SIZES)).tolist()
    assert found.sizes.device.type == "cpu"
    assert found.x.shape == (len(kept), CHANNELS)
    assert (found.batch[found.edge_index[0]] == found.batch[found.edge_index[1]]).all()
    assert found.edge_weight is None or (found.edge_weight > 0).all()
    assert all(1 <= new <= old for new, old in zip(found.sizes.tolist(), SIZES, strict=True) if old)


@each
def test_a_pooled_batch_asks_for_no_nodes(name: str) -> None:
    graphs = replace(random_graphs(SIZES, CHANNELS, 0), target_nodes=torch.tensor([0, 12]))
    found = made(name)(graphs).graphs
    assert found.target_nodes is None
    assert len(found) == len(SIZES)


@pytest.mark.parametrize("name", USES_RATIO)
@pytest.mark.parametrize("ratio", [0.01, 0.5, 1.0])
def test_the_ratio_says_how_many_stay(name: str, ratio: float) -> None:
    graphs = random_graphs(SIZES, CHANNELS, 1)
    assert made(name, ratio)(graphs).graphs.sizes.tolist() == kept_sizes(graphs.sizes, ratio).tolist()


@pytest.mark.parametrize("name", USES_RATIO)
@pytest.mark.parametrize("ratio", [0.0, 1.1])
def test_a_ratio_is_a_share(name: str, ratio: float) -> None:
    with pytest.raises(ValueError, match="give the share of the nodes to keep, above 0 and at most 1"):
        made(name, ratio)


@each
@given(sizes=st.lists(st.sampled_from([0, 1, 4, 5, 6, 7]), min_size=1, max_size=3), seed=st.integers(0, 2**16))
@settings(max_examples=15, deadline=None)
def test_equivariance_under_permutations(name: str, sizes: list[int], seed: int) -> None:
    # numbers decide between equal scores, which come of equal neighbors without weights, or of single neighbors
    pool, graphs = made(name), random_graphs(sizes, CHANNELS, seed, density=0.9)
    assume((torch.bincount(graphs.edge_index[0]) != 1).all())
    numbers = permutation_within_graphs(sizes, seed)
    first, second = pool(graphs), pool(renumbered(graphs, numbers))
    if name == "edge":  # a pair is represented by another node where the numbers say so
        torch.testing.assert_close(first.graphs.x.sum(dim=0), second.graphs.x.sum(dim=0))
        assert first.graphs.sizes.tolist() == second.graphs.sizes.tolist()
        torch.testing.assert_close(dense(first.graphs).sum(), dense(second.graphs).sum())
        return
    assert sorted(numbers[first.kept].tolist()) == second.kept.tolist()
    places = torch.argsort(numbers[first.kept])
    torch.testing.assert_close(first.graphs.x[places], second.graphs.x)
    torch.testing.assert_close(dense(first.graphs)[places][:, places], dense(second.graphs))


@each
def test_a_batch_is_its_graphs(name: str) -> None:
    pool, graphs = made(name), random_graphs(SIZES, CHANNELS, 2)
    together = pool(graphs)
    alone = [pool(graph) for graph in separate(graphs)]
    torch.testing.assert_close(together.graphs.x, torch.cat([one.graphs.x for one in alone]))
    torch.testing.assert_close(dense(together.graphs), torch.block_diag(*[dense(one.graphs) for one in alone]))
    assert together.graphs.sizes.tolist() == [len(one.kept) for one in alone]


@each
def test_no_weights_are_weights_of_1(name: str) -> None:
    pool, graphs = made(name), random_graphs(SIZES, CHANNELS, 3, weighted=False)
    ones = torch.ones(graphs.edge_index.shape[1], dtype=torch.float64)
    weighted = GraphBatch(graphs.x, graphs.edge_index, graphs.sizes, graphs.batch, ones)
    assert_close(pool(graphs), pool(weighted))


@each
def test_an_edge_of_weight_0_is_no_edge(name: str) -> None:
    pool, graphs = made(name), random_graphs(SIZES, CHANNELS, 4)
    assert graphs.edge_weight is not None
    gone = torch.arange(graphs.edge_index.shape[1]) % 3 == 0
    weight = graphs.edge_weight.masked_fill(gone, 0)
    faded = GraphBatch(graphs.x, graphs.edge_index, graphs.sizes, graphs.batch, weight)
    without = GraphBatch(graphs.x, graphs.edge_index[:, ~gone], graphs.sizes, graphs.batch, weight[~gone])
    assert_close(pool(faded), pool(without))


@each
@pytest.mark.parametrize("sizes", [[], [0], [0, 0], [1], [3, 0, 1]])
def test_graphs_without_edges(name: str, sizes: list[int]) -> None:
    graphs = random_graphs(sizes, CHANNELS, 5)
    bare = GraphBatch(graphs.x, graphs.edge_index[:, :0], graphs.sizes, graphs.batch)
    found = made(name)(bare).graphs
    assert found.num_graphs == len(sizes)
    assert found.x.isfinite().all()
    assert [bool(size) for size in found.sizes] == [bool(size) for size in sizes]


@each
def test_gradients_reach_features_weights_and_parameters(name: str) -> None:
    pool, graphs = made(name), random_graphs([6, 5], CHANNELS, 6)
    assert graphs.edge_weight is not None
    x, weight = graphs.x.clone().requires_grad_(), graphs.edge_weight.clone().requires_grad_()

    def outputs(x: Tensor, weight: Tensor) -> Tensor:
        found = pool(GraphBatch(x, graphs.edge_index, graphs.sizes, graphs.batch, weight)).graphs
        return torch.cat([found.x.flatten(), dense(found).flatten()])

    assert torch.autograd.gradcheck(outputs, (x, weight))
    outputs(x, weight).square().sum().backward()
    assert weight.grad is not None
    assert weight.grad.count_nonzero() > 0
    assert all(parameter.grad is not None for parameter in pool.parameters())


@each
def test_single_precision_stays_single(name: str) -> None:
    graphs = random_graphs(SIZES, CHANNELS, 7)
    assert graphs.edge_weight is not None
    single = GraphBatch(
        graphs.x.float(), graphs.edge_index, graphs.sizes, graphs.batch, graphs.edge_weight.to(torch.float32)
    )
    found = made(name).float()(single).graphs
    assert found.x.dtype == torch.float32
    assert found.edge_weight is not None
    assert found.edge_weight.dtype == torch.float32


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ValueError, match="unknown pooling 'top_k'; did you mean 'topk'"):
        pooling("top_k", 4, ratio=0.5, structure="none")
