"""Places of nodes: all in the unit square, apart from each other, and the same for equal graphs."""

from __future__ import annotations

import itertools
import math

import pytest

from tasks.reporting.graph_layout import layout
from tasks.reporting.pooled_graph import pooled_graph

PATH = [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("num_nodes", "edges"),
    [
        (1, []),
        (2, []),
        (4, PATH),
        (9, [*PATH, (5, 6), (6, 7), (7, 5)]),  # two parts and two nodes alone
        (40, [(node, node + 1) for node in range(38)]),
    ],
)
def test_nodes_stand_apart_in_the_unit_square(num_nodes: int, edges: list[tuple[int, int]]) -> None:
    places = layout(num_nodes, edges)
    assert len(places) == num_nodes
    assert all(-1e-9 <= value <= 1 + 1e-9 for place in places for value in place)
    assert all(math.dist(a, b) > 0.02 for a, b in itertools.combinations(places, 2))


def test_nothing_has_no_places() -> None:
    assert layout(0, []) == []


def test_neighbors_are_nearer_than_the_ends_of_a_path() -> None:
    places = layout(4, PATH)
    assert math.dist(places[0], places[1]) < math.dist(places[0], places[3]) / 2


def test_order_direction_repeats_and_loops_of_edges_change_nothing() -> None:
    assert layout(4, [(3, 2), (1, 2), (1, 1), (0, 1), (2, 1)]) == layout(4, PATH)


def test_a_pooled_graph_tells_learnt_edges_from_those_of_the_input() -> None:
    level = {
        "block": 1,
        "pooling": "hgpsl",
        "kept": [0, 1, 3],
        "edges": [[1, 0, 0.3], [0, 1, 0.7], [3, 0, 0.2], [1, 1, 1]],
    }
    graph = pooled_graph({"num_nodes": 4, "edges": [*PATH, (1, 0), (2, 2)], "levels": [level]})
    assert graph.edges == frozenset(PATH)
    (found,) = graph.levels
    assert found.weights == {(0, 1): 0.7, (0, 3): 0.2}  # the larger weight of both directions, and no loop
    assert (graph.own(found), graph.learnt(found)) == ([(0, 1)], [(0, 3)])


@pytest.mark.parametrize(
    "level",
    [
        {"block": 1, "pooling": "topk", "kept": [0, 4], "edges": []},
        {"block": 1, "pooling": "topk", "kept": [0, 1], "edges": [[0, 2, 1.0]]},
    ],
)
def test_nodes_that_are_not_there_are_refused(level: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="run retrain again"):
        pooled_graph({"num_nodes": 4, "edges": PATH, "levels": [level]})
