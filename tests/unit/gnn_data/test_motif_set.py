"""Motif graphs: the motif is there, the base goes with it as often as asked, and every shift changes one thing."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from gnn_space.data import motif_graphs
from gnn_space.data.graph_set import GraphSet
from gnn_space.sets import motif

MOTIFS = ("house", "cycle", "crane")


def graph(graphs: GraphSet, index: int) -> nx.Graph:
    begin, edge_begin = int(graphs.sizes[:index].sum()), int(graphs.num_edges[:index].sum())
    made = nx.Graph()
    made.add_nodes_from(range(int(graphs.sizes[index])))
    edges = graphs.edge_index[:, edge_begin : edge_begin + int(graphs.num_edges[index])] - begin
    made.add_edges_from(edges.T.tolist())
    return made


def drawn(num_graphs: int, own_share: float = 0.5, random_edges: float = 0.0) -> tuple[GraphSet, np.ndarray]:
    return motif.draw(num_graphs, MOTIFS, motif.TRAIN_BASES, own_share, (8, 20), random_edges, np.random.default_rng(0))


@pytest.mark.parametrize("num_nodes", [4, 5, 8, 13])
def test_bases_are_what_they_are_called(num_nodes: int) -> None:
    def made(name: str) -> nx.Graph:
        return nx.Graph(motif_graphs.BASES[name](num_nodes).tolist())

    assert nx.is_isomorphic(made("wheel"), nx.wheel_graph(num_nodes))
    assert nx.is_isomorphic(made("star"), nx.star_graph(num_nodes - 1))
    assert nx.is_isomorphic(made("path"), nx.path_graph(num_nodes))
    assert nx.is_isomorphic(made("tree"), nx.full_rary_tree(2, num_nodes))
    if num_nodes % 2 == 0:
        assert nx.is_isomorphic(made("ladder"), nx.ladder_graph(num_nodes // 2))
    assert all(len(made(name)) == num_nodes and nx.is_connected(made(name)) for name in motif_graphs.BASES)


def test_motifs_are_what_they_are_called_and_degrees_do_not_tell_house_from_crane() -> None:
    made = {name: nx.Graph(pairs) for name, pairs in motif_graphs.MOTIFS.items()}
    assert nx.is_isomorphic(made["house"], nx.house_graph())
    assert nx.is_isomorphic(made["cycle"], nx.cycle_graph(5))
    assert nx.is_isomorphic(made["crane"], nx.complete_bipartite_graph(2, 3))
    assert nx.is_isomorphic(made["bull"], nx.bull_graph())
    assert sorted(dict(made["house"].degree).values()) == sorted(dict(made["crane"].degree).values())
    assert all(each.degree[0] == 2 and len(each) == 5 for each in made.values())


def test_every_graph_is_its_base_with_its_motif() -> None:
    graphs, bases = drawn(30)
    for index in range(30):
        whole = graph(graphs, index)
        nodes = sorted(whole)
        motif_nodes, base_nodes = nodes[-5:], nodes[:-5]
        assert nx.is_isomorphic(
            whole.subgraph(motif_nodes), nx.Graph(motif_graphs.MOTIFS[MOTIFS[graphs.labels[index]]])
        )
        base = motif_graphs.BASES[motif.TRAIN_BASES[bases[index]]](len(base_nodes))
        assert {tuple(sorted(pair)) for pair in whole.subgraph(base_nodes).edges} == {
            tuple(sorted(pair)) for pair in base.tolist()
        }
        assert whole.number_of_edges() == len(base) + len(motif_graphs.MOTIFS[MOTIFS[graphs.labels[index]]]) + 1


@pytest.mark.parametrize("bias", [1 / 3, 0.5, 0.9, 1.0])
def test_the_base_goes_with_the_motif_as_often_as_the_bias_says(bias: float) -> None:
    graphs, bases = drawn(1500, own_share=bias)
    assert np.bincount(graphs.labels).tolist() == [500, 500, 500]
    for label in range(3):
        shares = np.bincount(bases[graphs.labels == label], minlength=3) / 500
        expected = np.full(3, (1 - bias) / 2)
        expected[label] = bias
        # 500 draws: three standard deviations are at most 0.067
        assert np.abs(shares - expected).max() < 0.07


def test_random_edges_are_new_edges() -> None:
    plain, _ = drawn(40)
    noisy, _ = drawn(40, random_edges=0.2)
    assert noisy.sizes.tolist() == plain.sizes.tolist()
    assert noisy.num_edges.tolist() == [2 * (edges // 2 + int(0.2 * (edges // 2))) for edges in plain.num_edges]
    pairs = noisy.edge_index.T
    assert len(np.unique(pairs, axis=0)) == len(pairs)
    assert {tuple(pair) for pair in pairs.tolist()} == {tuple(pair) for pair in pairs[:, ::-1].tolist()}
    assert (pairs[:, 0] != pairs[:, 1]).all()


def base_kinds(graphs: GraphSet) -> set[str]:
    """Return the kinds of bases of graphs without random edges."""
    found = set()
    for index in range(len(graphs)):
        whole = graph(graphs, index)
        base_nodes = sorted(whole)[:-5]
        edges = {tuple(sorted(pair)) for pair in whole.subgraph(base_nodes).edges}
        for name, build in motif_graphs.BASES.items():
            if edges == {tuple(sorted(pair)) for pair in build(len(base_nodes)).tolist()}:
                found.add(name)
    return found


def test_each_shift_changes_one_thing() -> None:
    data = motif.load(None, num_train=60, num_validation=30, num_test=60, random_edges=0.0)
    assert data.validation is not None
    assert data.test is not None
    assert set(data.shifted) == {"base", "size", "correlation"}
    for part in (data.train, data.validation, data.test, data.shifted["size"], data.shifted["correlation"]):
        assert base_kinds(part) == {"wheel", "tree", "ladder"}
    assert base_kinds(data.shifted["base"]) == {"star", "path"}
    for name, part in {"train": data.train, "test": data.test, **data.shifted}.items():
        smallest, largest = (32, 80) if name == "size" else (8, 20)
        assert smallest <= part.sizes.min() - 5 <= part.sizes.max() - 5 <= largest
        assert np.bincount(part.labels).tolist() == [20, 20, 20]
    assert "correlation" not in motif.load(None, bias=1 / 3, num_train=3, num_validation=3, num_test=3).shifted


def test_what_is_shifted_was_never_trained_on_and_some_of_the_rest_comes_again() -> None:
    data = motif.load(None)
    assert data.test is not None

    def forms(graphs: GraphSet) -> list[str]:
        found = [graph(graphs, index) for index in range(len(graphs))]
        for each in found:
            nx.set_node_attributes(each, 1, "feature")
        return [nx.weisfeiler_lehman_graph_hash(each, node_attr="feature", iterations=6) for each in found]

    trained = set(forms(data.train))
    again = {
        name: np.mean([form in trained for form in forms(part)])
        for name, part in {"test": data.test, **data.shifted}.items()
    }
    assert again["base"] == again["size"] == 0
    assert again["test"] == pytest.approx(0.2, abs=0.05)
    assert again["correlation"] == pytest.approx(0.2, abs=0.05)


def test_the_seed_decides_everything_and_parts_do_not_disturb_each_other() -> None:
    first, again = (motif.load(None, num_train=20, num_validation=5, num_test=5) for _ in range(2))
    longer = motif.load(None, num_train=20, num_validation=5, num_test=9)
    other = motif.load(None, num_train=20, num_validation=5, num_test=5, seed=1)
    for name, tensor in first.train.tensors.items():
        assert np.array_equal(tensor, again.train.tensors[name])
        assert np.array_equal(tensor, longer.train.tensors[name])
    assert first.train.edge_index.tolist() != other.train.edge_index.tolist()


def test_features_are_constant_or_degrees() -> None:
    constant = motif.load(None, num_train=6, num_validation=3, num_test=3)
    assert (constant.train.x == 1).all()
    assert constant.description(constant.train)["feature_mean"] == [0]
    degrees = motif.load(None, num_train=6, num_validation=3, num_test=3, node_features="degree", max_degree=3)
    expected = np.minimum(np.bincount(degrees.train.edge_index[0], minlength=len(degrees.train.x)), 3)
    assert degrees.train.x.shape[1] == 4
    assert np.array_equal(degrees.train.x.argmax(axis=1), expected)
    assert degrees.feature_names == ("degree 0", "degree 1", "degree 2", "degree 3 or more")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"motifs": ("house",)}, "motifs are"),
        ({"motifs": ("house", "house")}, "motifs are"),
        ({"smallest_base": 9, "largest_base": 8}, "smallest_base is 9"),
    ],
)
def test_nonsense_is_one_line(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        motif.load(None, **settings)  # type: ignore[arg-type]
