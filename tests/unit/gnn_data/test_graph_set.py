"""Graph sets: what they refuse, what is taken out of them, and that they come back from their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_graphs import random_graphs

from gnn_space.data import ranges, storage
from gnn_space.data.graph_data import GraphData
from gnn_space.data.graph_set import GraphSet, joined
from gnn_space.data.statistics import feature_statistics
from nas_core.data import tensor_file


def single(graphs: GraphSet, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return features and edges of one graph, its nodes numbered from 0."""
    begin, edge_begin = int(graphs.sizes[:index].sum()), int(graphs.num_edges[:index].sum())
    edges = graphs.edge_index[:, edge_begin : edge_begin + int(graphs.num_edges[index])] - begin
    return graphs.x[begin : begin + int(graphs.sizes[index])], edges


@given(st.lists(st.integers(0, 23), min_size=1, max_size=40))
def test_taken_graphs_are_the_graphs(indices: list[int]) -> None:
    graphs = random_graphs()
    taken = graphs.take(np.array(indices, dtype=np.int64))
    assert taken.labels.tolist() == [graphs.labels[index] for index in indices]
    for place, index in enumerate(indices):
        for got, expected in zip(single(taken, place), single(graphs, index), strict=True):
            assert np.array_equal(got, expected)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), max_size=8))
def test_positions_are_those_of_a_loop(blocks: list[tuple[int, int]]) -> None:
    begin, lengths = (np.array([block[side] for block in blocks], dtype=np.int64) for side in (0, 1))
    expected = [start + step for start, length in blocks for step in range(length)]
    assert ranges.positions(begin, lengths).tolist() == expected


EDGE = np.array([[0, 1], [1, 0]])
TWO = joined([np.ones((3, 2), dtype=np.float32)] * 2, [EDGE, EDGE], [0, 1])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x": TWO.x.astype(np.float64)}, "x is float64"),
        ({"x": TWO.x[:-1]}, "for graphs of"),
        ({"x": np.full_like(TWO.x, np.nan)}, "give finite features"),
        ({"labels": TWO.labels[:1]}, "each with a size, edges and a label"),
        ({"labels": TWO.labels - 1}, "negative"),
        ({"edge_index": TWO.edge_index[:, :-1]}, "edge_index is"),
        ({"edge_index": np.zeros_like(TWO.edge_index)}, "an edge leaves its graph"),
        ({"sizes": np.array([0, len(TWO.x)])}, "a graph has no node"),
    ],
)
def test_a_set_that_cannot_be_is_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        replace(TWO, **change)
    assert "\n" not in str(caught.value)


def test_graphs_come_back_and_equal_sets_give_equal_bytes(tmp_path: Path) -> None:
    graphs = random_graphs()
    storage.write(tmp_path / "a.safetensors", graphs)
    storage.write(tmp_path / "b.safetensors", random_graphs())
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    back = storage.read(tmp_path / "a.safetensors")
    assert all(np.array_equal(back.tensors[name], tensor) for name, tensor in graphs.tensors.items())


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "graphs.safetensors"
    storage.write(path, random_graphs())
    content = path.read_bytes()
    altered = bytearray(content)
    altered[-1] ^= 1
    for damaged, reason in ((content[:-9], "truncated"), (bytes(altered), "altered"), (b"", "truncated")):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=reason) as caught:
            storage.read(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    tensor_file.write(path, {**random_graphs().tensors, "sizes": np.ones(24, dtype=np.int64)})
    with pytest.raises(ValueError, match="holds no set of graphs"):
        storage.read(path)
    tensor_file.write(path, {"x": random_graphs().x})
    with pytest.raises(ValueError, match="holds the tensors"):
        storage.read(path)


def test_indicators_and_constants_are_not_standardized() -> None:
    x = np.array([[1, 0, 2, 5], [1, 1, 4, 5]], dtype=np.float32)
    assert feature_statistics(x) == ([0, 0, 3, 0], [1, 1, 1, 1])


def test_a_data_set_must_say_everything_and_its_parts_go_together() -> None:
    def made(**change: Any) -> GraphData:
        values: dict[str, Any] = {
            "name": "some",
            "class_names": ("a", "b", "c"),
            "train": random_graphs(),
            "test": None,
            "license": "none",
            "source": "here",
            "citation": "nobody",
            "feature_names": ("one", "two"),
        }
        return GraphData(**{**values, **change})

    assert made().example_shape == (2,)
    assert made().like((2,)).name == "some"
    with pytest.raises(ValueError, match="`node_features: degree`"):
        made().like((3,))
    for change, reason in (
        ({"class_names": ("a", "b")}, "labels hold 2"),
        ({"license": ""}, "license of the data set"),
        ({"shifted": {"size": random_graphs(num_features=3)}}, "nodes with 3 features"),
        ({"feature_names": ("one",)}, "1 feature_names"),
    ):
        with pytest.raises(ValueError, match=reason):
            made(**change)
