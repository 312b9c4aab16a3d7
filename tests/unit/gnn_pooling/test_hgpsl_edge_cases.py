"""The HGP-SL operator on graphs at the edge of being graphs, on ties, and without questions to the device."""

from __future__ import annotations

import pytest
import torch
from torch_geometric.nn.pool.connect import FilterEdges
from torch_geometric.nn.pool.select import SelectOutput

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.pooling.candidate_pairs import PairsWithinHops, all_pairs
from gnn_space.pooling.hgpsl import HGPSLPooling, Structure
from gnn_space.pooling.induced_subgraph import InducedEdges
from gnn_space.pooling.selection import top_k
from gnn_space.pooling.sparsemax import segment_sparsemax
from gnn_space.pooling.structure_learning import StructureLearning

ALL_PAIRS: tuple[Structure, ...] = ("none", "sparsemax_all_pairs", "softmax_all_pairs")
STRUCTURES: tuple[Structure, ...] = (*ALL_PAIRS, "sparsemax_k_hop", "softmax_k_hop")
NO_EDGES = torch.zeros(2, 0, dtype=torch.int64)


def path(num_nodes: int, x: torch.Tensor | None = None) -> GraphBatch:
    """Returns one path with edges in both directions."""
    ends = torch.stack((torch.arange(num_nodes - 1), torch.arange(1, num_nodes)))
    features = torch.arange(float(num_nodes)).unsqueeze(1) ** 2 if x is None else x
    return graph_batch(features, torch.cat((ends, ends.flip(0)), 1), torch.tensor([num_nodes]))


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("sizes", [[], [0], [1], [0, 0, 1, 0], [1, 1, 1], [4], [2, 0, 3]])
def test_graphs_without_edges(structure: Structure, static_shapes: bool, sizes: list[int]) -> None:
    graphs = graph_batch(torch.randn(sum(sizes), 3), NO_EDGES, torch.tensor(sizes, dtype=torch.int64))
    pooled = HGPSLPooling(3, 0.5, structure, static_shapes=static_shapes)(graphs).graphs
    assert pooled.sizes.tolist() == [(size + 1) // 2 for size in sizes]
    assert pooled.x.shape == (int(pooled.sizes.sum()), 3)
    if structure != "none":
        assert pooled.edge_weight is not None
        into = torch.zeros(pooled.num_nodes).index_add(0, pooled.edge_index[1], pooled.edge_weight)
        torch.testing.assert_close(into, torch.ones_like(into))


@pytest.mark.parametrize("structure", ["sparsemax_k_hop", "softmax_k_hop"])
def test_an_isolated_node_has_itself_as_its_only_candidate(structure: Structure) -> None:
    graphs = graph_batch(torch.randn(5, 2), torch.tensor([[0, 1], [1, 0]]), torch.tensor([5]))
    pooled = HGPSLPooling(2, 1.0, structure)(graphs).graphs
    assert pooled.edge_weight is not None
    edges = dict(zip(map(tuple, pooled.edge_index.t().tolist()), pooled.edge_weight.tolist(), strict=True))
    assert {edge: weight for edge, weight in edges.items() if max(edge) > 1} == {(n, n): 1.0 for n in (2, 3, 4)}


@pytest.mark.parametrize("structure", STRUCTURES)
def test_one_node_of_each_graph_stays_however_small_the_ratio(structure: Structure) -> None:
    pooled = HGPSLPooling(1, 0.001, structure)(path(6))
    assert pooled.kept.tolist() == [5]
    assert pooled.graphs.edge_index.tolist() == ([[], []] if structure == "none" else [[0], [0]])


def test_of_equal_scores_the_lower_number_is_kept() -> None:
    graphs = graph_batch(torch.zeros(7, 1), NO_EDGES, torch.tensor([4, 3]))
    score = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0])
    assert top_k(score, graphs, torch.tensor([3, 2])).tolist() == [0, 1, 2, 4, 5]
    # a cycle whose nodes are all alike
    nodes = torch.arange(8)
    cycle = torch.stack((torch.cat((nodes, nodes)), torch.cat((nodes.roll(1), nodes.roll(-1)))))
    pooled = HGPSLPooling(3, 0.5, "none")(graph_batch(torch.ones(8, 3), cycle, torch.tensor([8])))
    assert pooled.kept.tolist() == [0, 1, 2, 3]


def test_hops_pass_through_nodes_that_are_dropped() -> None:
    # the ends and the middle of a path of seven: 0 and 3 are 3 hops apart, 0 and 6 are 6
    graphs = path(7)
    selected = SelectOutput(torch.tensor([0, 3, 6]), 7, torch.arange(3), 3)
    for num_hops, expected in ((2, 3), (3, 7), (5, 7), (6, 9)):
        learn = StructureLearning(1, PairsWithinHops(num_hops), segment_sparsemax)
        found = learn(selected, graphs.edge_index, None, graphs.batch, torch.zeros(3, 1), torch.tensor([3]))
        assert found.edge_index.shape == (2, expected)


def test_edges_of_weight_0_are_no_hops() -> None:
    graphs = path(3, torch.tensor([[0.0], [9.0], [0.0]]))
    weight = torch.tensor([1.0, 0.0, 1.0, 0.0])  # 0 - 1 is there, 1 - 2 is not
    broken = graph_batch(graphs.x, graphs.edge_index, graphs.sizes, edge_weight=weight)
    pooled = HGPSLPooling(1, 1.0, "softmax_k_hop")(broken).graphs
    assert sorted(map(tuple, pooled.edge_index.t().tolist())) == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 2)]


def test_connects_work_in_torch_geometrics_algebra() -> None:
    """Only what its own parts are given: no batch, no sizes."""
    graphs = path(5)
    selected = SelectOutput(torch.tensor([1, 2, 4]), 5, torch.arange(3), 3)
    theirs = FilterEdges()(selected, graphs.edge_index, torch.arange(8.0), graphs.batch)
    mine = InducedEdges()(selected, graphs.edge_index, torch.arange(8.0))
    assert torch.equal(mine.edge_index, theirs.edge_index)
    assert torch.equal(mine.edge_attr, theirs.edge_attr)
    assert torch.equal(mine.batch, theirs.batch)
    learn = StructureLearning(1, all_pairs, segment_sparsemax)
    # equal logits but for the edge 1 - 2, which has all of its rows
    learnt = learn(selected, graphs.edge_index, x=graphs.x[selected.node_index])
    assert learnt.edge_index.tolist() == [[1, 0, 0, 1, 2], [0, 1, 2, 2, 2]]
    torch.testing.assert_close(learnt.edge_attr, torch.tensor([1, 1, 1 / 3, 1 / 3, 1 / 3]))
    with pytest.raises(ValueError, match="give x"):
        learn(selected, graphs.edge_index)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_edges_that_stay_with_weight_0_change_nothing(structure: Structure) -> None:
    """A second pooling sees the same, and the same gradient comes back."""
    generator = torch.Generator().manual_seed(0)
    ends = torch.cat(
        (torch.randint(9, (2, 14), generator=generator), 9 + torch.randint(8, (2, 9), generator=generator)), 1
    )
    edge_index = torch.cat((ends, ends.flip(0)), 1)
    x = torch.randn(17, 3, generator=generator, dtype=torch.float64)
    attention = torch.randn(1, 6, generator=generator, dtype=torch.float64)
    results = []
    for static_shapes in (False, True):
        features = x.clone().requires_grad_()
        graphs = graph_batch(features, edge_index, torch.tensor([9, 8]))
        pooling = HGPSLPooling(3, 0.6, structure, static_shapes=static_shapes).double()
        for parameter in pooling.parameters():
            parameter.data = attention
        once = pooling(graphs)
        twice = pooling(once.graphs)
        weight = twice.graphs.edge_weight
        weight = x.new_ones(twice.graphs.edge_index.shape[1]) if weight is None else weight
        source, target = twice.graphs.edge_index
        messages = weight.unsqueeze(1) * twice.graphs.x[source]
        out = torch.zeros(twice.graphs.num_nodes, 3, dtype=torch.float64).index_add(0, target, messages)
        (gradient,) = torch.autograd.grad((out**2).sum(), features)
        results.append((once.kept, twice.kept, out.detach(), gradient))
    for dropped, stayed in zip(*results, strict=True):
        torch.testing.assert_close(stayed, dropped, rtol=0, atol=1e-12)


@pytest.mark.parametrize("structure", ALL_PAIRS)
def test_shapes_follow_from_the_sizes_so_that_nothing_waits_for_a_device(structure: Structure) -> None:
    """Tensors without data can be asked for nothing: not for a number, not where they are not 0."""
    edge_index = torch.tensor([[0, 1, 4, 5], [1, 0, 5, 4]])
    graphs = graph_batch(torch.randn(8, 3), edge_index, torch.tensor([3, 0, 5])).to("meta")
    graphs.x.requires_grad_()
    with torch.device("meta"):
        pooling = HGPSLPooling(3, 0.5, structure)
    pooled = pooling(pooling(graphs).graphs).graphs
    assert pooled.sizes.tolist() == [1, 0, 2]
    assert pooled.edge_index.shape == ((2, 4) if structure == "none" else (2, 1 + 4))
    assert pooled.edge_weight is not None
    (pooled.x.sum() + pooled.edge_weight.sum()).backward()
    assert graphs.x.grad is not None


def test_the_number_of_pairs_within_hops_is_asked_of_the_device() -> None:
    graphs = path(4).to("meta")
    with torch.device("meta"):
        pooling = HGPSLPooling(1, 0.5, "sparsemax_k_hop")
    with pytest.raises(RuntimeError, match="nonzero"):
        pooling(graphs)


def test_arithmetic_of_the_score_is_counted() -> None:
    assert HGPSLPooling(1, 0.5, "none").uncounted_flops(path(5)) == 2 * 8 * 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ratio": 0.0}, "ratio is 0.0"),
        ({"ratio": 1.5}, "ratio is 1.5"),
        ({"structure": "sparsemax"}, "structure is 'sparsemax'; give one of none, sparsemax_all_pairs"),
        ({"normalization": "row"}, "normalization is 'row'; give one of random_walk, symmetric"),
        ({"structure": "softmax_k_hop", "num_hops": 0}, "num_hops is 0"),
    ],
)
def test_settings_out_of_range(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HGPSLPooling(**{"channels": 2, "ratio": 0.5, **settings})  # type: ignore[arg-type]  # wrong on purpose
