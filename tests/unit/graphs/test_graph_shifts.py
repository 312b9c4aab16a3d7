"""The shifts of graphs: what they change, what they leave, and how much the shift operator feels of it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.perturbation import perturbation_sizes
from gnn_space.shifts import suite

NAMES = ("add_edges", "drop_edges", "feature_noise", "mask_features")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def undirected(pairs: Iterable[tuple[int, int]]) -> Tensor:
    pairs = list(pairs)
    both = pairs + [(j, i) for i, j in pairs]
    return torch.tensor(both, dtype=torch.int64).reshape(-1, 2).T


def random_graphs(sizes: list[int], density: float, seed: int) -> GraphBatch:
    """Return Erdos-Renyi graphs."""
    generator = seeded(seed)
    pairs, first = [], 0
    for size in sizes:
        for i in range(size):
            for j in range(i):
                if torch.rand((), generator=generator) < density:
                    pairs.append((first + j, first + i))
        first += size
    x = torch.randn(first, 3, generator=generator)
    return graph_batch(x, undirected(pairs), torch.tensor(sizes, dtype=torch.int64))


def edge_set(graphs: GraphBatch) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in graphs.edge_index.T}


@pytest.fixture
def triangle() -> GraphBatch:
    return graph_batch(torch.ones(3, 2), undirected([(0, 1), (0, 2), (1, 2)]), torch.tensor([3]))


def test_the_folder_is_the_list() -> None:
    assert suite.names() == NAMES
    assert {suite.shift(name).family for name in NAMES} == {"structure", "features"}
    with pytest.raises(ValueError, match="did you mean 'drop_edges'"):
        suite.shift("drop_edge")


def test_names_are_known_without_torch() -> None:
    line = "import sys; from gnn_space.shifts import suite; print(suite.names()); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", line], check=True, capture_output=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("severity", [0, 6])
def test_severities_are_one_to_five(name: str, severity: int, triangle: GraphBatch) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        suite.shift(name)(triangle, severity, seeded())


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=1, max_size=5),
    density=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    severity=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_graphs_stay_simple_undirected_and_apart(
    name: str, sizes: list[int], density: float, severity: int, seed: int
) -> None:
    graphs = random_graphs(sizes, density, seed)
    shifted = suite.shift(name)(graphs, severity, seeded(seed))
    again = suite.shift(name)(graphs, severity, seeded(seed))
    assert torch.equal(shifted.x, again.x)
    assert torch.equal(shifted.edge_index, again.edge_index)
    assert torch.equal(shifted.sizes, graphs.sizes)
    assert torch.equal(shifted.batch, graphs.batch)
    edges = edge_set(shifted)
    assert len(edges) == shifted.edge_index.shape[1]
    assert edges == {(j, i) for i, j in edges}
    assert all(i != j and graphs.batch[i] == graphs.batch[j] for i, j in edges)
    before = edge_set(graphs)
    assert edges <= before if name == "drop_edges" else edges >= before
    assert (edges == before) or suite.shift(name).family == "structure"
    assert torch.equal(shifted.x, graphs.x) or suite.shift(name).family == "features"
    sizes_of_perturbation = perturbation_sizes(graphs, shifted)
    assert torch.equal(sizes_of_perturbation, perturbation_sizes(graphs, again))
    assert torch.isfinite(sizes_of_perturbation).all()


def test_every_absent_pair_is_as_likely() -> None:
    """Two graphs with one edge and two unjoined pairs each, and a complete one: half an edge comes to each at most."""
    path = undirected([(0, 1), (3, 4), (6, 7), (6, 8), (7, 8)])
    graphs = graph_batch(torch.ones(9, 1), path, torch.tensor([3, 3, 3]))
    generator, counts, num_draws = seeded(), dict.fromkeys([(0, 2), (1, 2), (3, 5), (4, 5)], 0), 2000
    for _ in range(num_draws):
        for i, j in edge_set(suite.shift("add_edges")(graphs, 5, generator)) - edge_set(graphs):
            if i < j:
                counts[i, j] += 1
    # 0.4 of one edge over two pairs; three standard deviations of a mean of 2000 draws are 0.027
    assert all(abs(count / num_draws - 0.2) < 0.03 for count in counts.values())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("drop_edges", (0.95, 0.9, 0.8, 0.7, 0.6)), ("add_edges", (1.05, 1.1, 1.2, 1.3, 1.4))],
)
def test_the_number_of_edges_follows_the_severity(name: str, expected: tuple[float, ...]) -> None:
    graphs, generator, num_draws = random_graphs([60] * 2, 0.1, 0), seeded(), 50
    num_edges = graphs.edge_index.shape[1]
    for severity, share in enumerate(expected, start=1):
        shifted = [suite.shift(name)(graphs, severity, generator) for _ in range(num_draws)]
        # about 350 edges, so that the mean of 50 draws has a standard deviation of 0.005
        assert sum(each.edge_index.shape[1] for each in shifted) / num_draws / num_edges == pytest.approx(
            share, abs=0.015
        )


def test_a_higher_severity_drops_and_masks_more() -> None:
    graphs = random_graphs([20] * 4, 0.2, 0)
    dropped = [edge_set(suite.shift("drop_edges")(graphs, severity, seeded())) for severity in range(1, 6)]
    assert all(more < less for less, more in itertools.pairwise(dropped))
    masked = [(suite.shift("mask_features")(graphs, severity, seeded()).x == 0).sum() for severity in range(1, 6)]
    assert masked == sorted(masked)
    sizes = [
        perturbation_sizes(graphs, suite.shift("drop_edges")(graphs, severity, seeded())).mean()
        for severity in range(1, 6)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] > 0


def test_masked_nodes_lose_all_features(triangle: GraphBatch) -> None:
    shifted = suite.shift("mask_features")(triangle, 5, seeded(1)).x
    assert {tuple(row) for row in shifted.tolist()} == {(0.0, 0.0), (1.0, 1.0)}


def test_weights_and_target_nodes_stay_with_their_edges_and_nodes(triangle: GraphBatch) -> None:
    weights = triangle.edge_index.sum(dim=0).double()
    graphs = replace(triangle, edge_weight=weights, target_nodes=torch.tensor([2, 0]))
    for name in NAMES:
        shifted = suite.shift(name)(graphs, 5, seeded(3))
        assert shifted.target_nodes is graphs.target_nodes
        assert shifted.edge_weight is not None
        assert torch.equal(shifted.edge_weight, shifted.edge_index.sum(dim=0).double())
    open_path = graph_batch(torch.ones(3, 1), undirected([(0, 1), (1, 2)]), torch.tensor([3]))
    weighted = replace(open_path, edge_weight=torch.full((4,), 0.5))
    added = [suite.shift("add_edges")(weighted, 5, seeded(seed)).edge_weight for seed in range(10)]
    assert {tuple(each.tolist()) for each in added if each is not None} == {(0.5,) * 4, (0.5,) * 4 + (1.0, 1.0)}


def test_perturbation_of_a_triangle_by_hand(triangle: GraphBatch) -> None:
    """All nine entries of S are 1/3, so ||S|| = 1.

    Without the edge 1-2, node 0 has degree 3 and the others 2: S'_00 = 1/3, S'_11 = S'_22 = 1/2,
    S'_01 = S'_02 = 1 / sqrt 6, S'_12 = 0. The difference squared: 2 (1/6)^2 + 4 (1 / sqrt 6 - 1/3)^2 + 2 / 9.
    """
    path = replace(triangle, edge_index=undirected([(0, 1), (0, 2)]))
    expected = (2 / 36 + 4 * (6**-0.5 - 1 / 3) ** 2 + 2 / 9) ** 0.5
    torch.testing.assert_close(perturbation_sizes(triangle, path), torch.tensor([expected], dtype=torch.float64))
    # back: the same difference, against 1/9 + 2/4 + 4/6
    torch.testing.assert_close(
        perturbation_sizes(path, triangle), torch.tensor([expected / (1 / 9 + 1 / 2 + 2 / 3) ** 0.5]).double()
    )
    nothing = replace(triangle, edge_index=undirected([]))
    # S' = I: 3 (2/3)^2 + 6 / 9
    torch.testing.assert_close(perturbation_sizes(triangle, nothing), torch.tensor([2**0.5]).double())


def test_perturbations_agree_with_dense_operators() -> None:
    graphs = random_graphs([7, 1, 4, 9], 0.5, 2)
    weighted = replace(graphs, edge_weight=torch.ones(graphs.edge_index.shape[1]))
    shifted = suite.shift("drop_edges")(weighted, 4, seeded(1))
    assert shifted.edge_weight is not None
    halved = replace(shifted, edge_weight=shifted.edge_weight / 2)

    def dense(batch: GraphBatch) -> Tensor:
        matrix = torch.eye(batch.num_nodes, dtype=torch.float64)
        assert batch.edge_weight is not None
        matrix[batch.edge_index[1], batch.edge_index[0]] = batch.edge_weight.double()
        root = matrix.sum(dim=1).rsqrt()
        return root[:, None] * matrix * root

    found = perturbation_sizes(weighted, halved)
    for graph in range(4):
        inside = graphs.batch == graph
        one, other = (dense(each)[inside][:, inside] for each in (weighted, halved))
        assert found[graph].item() == pytest.approx((torch.norm(other - one) / torch.norm(one)).item())


def test_target_nodes_have_the_size_of_their_graph() -> None:
    graphs = replace(random_graphs([6, 5], 0.6, 0), target_nodes=torch.tensor([7, 0, 8]))
    shifted = suite.shift("drop_edges")(graphs, 5, seeded())
    by_graph = perturbation_sizes(replace(graphs, target_nodes=None), shifted)
    assert torch.equal(perturbation_sizes(graphs, shifted), by_graph[torch.tensor([1, 0, 1])])


def test_sizes_of_other_graphs_are_refused(triangle: GraphBatch) -> None:
    with pytest.raises(ValueError, match="same graphs"):
        perturbation_sizes(triangle, random_graphs([2, 1], 0.5, 0))
