"""Cell graphs: some by hand, and that equal networks have equal graphs of one shape."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core import catalog, variation
from nas_core.encodings import graphs
from nas_core.networks.vertex_cell import VertexCell
from nas_core.space import HasCellGraph
from nas_core.spaces.nasbench101 import NASBench101, NASBench101Members

SPACES = {"nasbench201": (8, 14), "nasbench101": (7, 12), "gnn_space.nasbench_graph": (6, 17)}


def drawn(edges: list[tuple[int, int]], labels: list[int | None], num_labels: int) -> list[list[float]]:
    """The rows of a graph; a vertex whose label is None is not in use."""
    return [
        [float((i, j) in edges) for j in range(len(labels))] + [float(label == k) for k in range(num_labels)]
        for i, label in enumerate(labels)
    ]


def test_operations_of_nasbench201_lead_to_those_that_take_their_node() -> None:
    space = catalog.load("space", "nasbench201").build()
    # 0->1 and 1->3 are a path, beside 0->3; 0->2 leads nowhere
    name = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|nor_conv_1x1~1|none~2|"
    found = graphs(space, [space.from_name(name)])[0]
    edges = [(0, 1), (1, 5), (5, 7), (0, 4), (4, 7)]
    assert found.tolist() == drawn(edges, [0, 4, None, None, 5, 3, None, 1], 6)


def test_a_cell_of_nasbench201_without_a_path_keeps_its_input_and_output_alone() -> None:
    space = catalog.load("space", "nasbench201").build()
    found = graphs(space, [space.from_name("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")])[0]
    assert found.tolist() == drawn([], [0, *[None] * 6, 1], 6)


def test_pruned_vertices_of_nasbench101_are_zeros_before_the_output() -> None:
    space = catalog.load("space", "nasbench101").build()
    # input -> conv3x3 -> conv1x1 -> output, and input -> output
    found = graphs(space, [space.from_name("101101,01")])[0]
    assert found.tolist() == drawn([(0, 1), (0, 6), (1, 2), (2, 6)], [0, 2, 3, None, None, None, 1], 5)


def test_listed_members_of_nasbench101_have_the_graphs_of_the_whole_space() -> None:
    whole = NASBench101()
    cells = [VertexCell.from_bits([int(bit) for bit in bits], [0, 1]) for bits in ("101001", "101101")]
    listed = NASBench101Members(whole, cells, 1)
    assert isinstance(listed, HasCellGraph)
    names = [whole.from_name(name) for name in ("101001,01", "101101,01")]
    np.testing.assert_array_equal(graphs(listed, listed.members()), graphs(whole, names))


def test_leaves_of_nasbench_graph_lead_to_the_output() -> None:
    space = catalog.load("space", "gnn_space.nasbench_graph").build()
    # the second and the third take the first, and the fourth takes the second
    architecture = space.from_name("0112-gcn-gat-sage-gin")
    assert space.canonical(architecture) == architecture
    edges = [(0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 5)]
    assert graphs(space, [architecture])[0].tolist() == drawn(edges, [0, 3, 2, 6, 4, 1], 11)


@pytest.mark.parametrize("name", SPACES)
def test_equal_networks_have_equal_graphs_of_one_shape(name: str) -> None:
    space = catalog.load("space", name).build()
    generator = np.random.default_rng(0)
    members = [variation.sample(space, generator) for _ in range(60)]
    found = graphs(space, members)
    assert found.shape == (60, *SPACES[name])
    assert set(np.unique(found)) == {0.0, 1.0}
    np.testing.assert_array_equal(found, graphs(space, [space.canonical(member) for member in members]))
    num_vertices = SPACES[name][0]
    edges, labels = found[:, :, :num_vertices], found[:, :, num_vertices:]
    used = labels.sum(axis=2)
    assert used.max() == 1
    assert (used[:, [0, -1]] == 1).all()
    # no vertex without a label has an edge, and none leads back
    assert (edges.sum(axis=2) + edges.sum(axis=1) > 0)[used == 0].sum() == 0
    assert np.tril(edges).sum() == 0
