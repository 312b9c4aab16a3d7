"""The benchmark of HGP-SL pooling: what it compares with computes the same, and the program prints its figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import graph_pooling, protein_graphs


def column(table: dict[str, Any], name: str) -> list[Any]:
    return [row[table["columns"].index(name)] for row in table["rows"]]


def test_it_compares_what_computes_the_same(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("NAS_DATA_ROOT", raising=False)
    arguments = ["--graphs", "6", "--channels", "4", "--repeats", "1", "--growth", "2", "3", "--sizes", "8"]
    assert graph_pooling.main([*arguments, "--no-memory", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["settings"]["sizes"] == "drawn like PROTEINS"
    pooling, thresholds, by_number, by_size, networks = printed["tables"]
    names = [*graph_pooling.NAMES, graph_pooling.DENSE, graph_pooling.PADDED]
    assert column(pooling, "pooling") == names
    assert all(milliseconds > 0 for milliseconds in column(pooling, "processor ms"))
    assert all(difference < 1e-4 for difference in column(pooling, "relative difference of gradients")[-2:])
    assert len(thresholds["rows"]) == 2
    assert column(by_number, "graphs") == [2, 3]
    assert column(by_size, "all pairs") == [64 * 4 * 4]
    assert column(networks, "pooling") == [*names[:-1], "no pooling"]


def test_the_peak_of_a_pass_is_printed_alone(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--peak", "sparsemax_all_pairs", "--graphs", "4", "--channels", "4", "--equal-size", "10"]
    assert graph_pooling.main(arguments) == 0
    assert float(capsys.readouterr().out) >= 0


def test_drawn_graphs_are_like_those_of_proteins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAS_DATA_ROOT", raising=False)
    graphs = protein_graphs.batch(1113, 1, None)
    assert graphs.num_nodes / 1113 == pytest.approx(protein_graphs.MEAN_NODES, rel=0.1)
    assert graphs.edge_index.shape[1] / 2 / graphs.num_nodes == pytest.approx(72.82 / 39.06, rel=0.05)
    assert int(graphs.sizes.max()) <= protein_graphs.LARGEST
    source, target = graphs.edge_index
    assert (graphs.batch[source] == graphs.batch[target]).all()
    assert (source != target).all()
