"""The tables of NAS-Bench-Graph, on a file written here: look-ups, and files that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import graph_tables
from gnn_space import nasbench_graph
from gnn_space.benchmarks.nasbench_graph import build, hash_name
from nas_core.architecture import Architecture
from nas_core.evaluation import Fidelity, Proposal
from nas_core.evaluators import tabular
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.table_evaluator import TableEvaluator
from nas_core.task import Task

SPACE = nasbench_graph.build()
OF_PROTEINS = nasbench_graph.build(operations=("gcn", "sage", "arma", "fc", "identity"))
ACCURACY = Objective("validation_accuracy", "maximize")
Arrays = dict[str, NDArray[Any]]


@pytest.fixture(scope="module")
def table(path: Path) -> TableEvaluator:
    return build(path, SPACE, [ACCURACY])


def place(arrays: Arrays, number: int) -> int:
    return int(np.flatnonzero(arrays["cora_hash"] == number)[0])


def test_hashes_are_a_tree_and_four_operations() -> None:
    assert hash_name(61_278) == "0112-gcn-gin-fc-identity"
    assert hash_name(5) == "0000-gat-gat-gat-arma"


def test_scores_are_those_of_the_canonical_form(table: TableEvaluator, arrays: Arrays) -> None:
    names = ["0000-gat-gat-gat-gat", "0123-gcn-identity-gcn-identity", "0123-identity-identity-gcn-gcn"]
    proposals = [Proposal(SPACE.from_name(name)) for name in names]
    evaluations = table.evaluate(proposals)
    assert [evaluation.proposal for evaluation in evaluations] == proposals
    same = {"validation_accuracy": pytest.approx(place(arrays, 88_811) / 100_000)}
    assert [dict(evaluation.scores) for evaluation in evaluations] == [{"validation_accuracy": 0.0}, same, same]


def test_costs_are_scores_and_the_test_accuracy_is_not(path: Path, table: TableEvaluator) -> None:
    objectives = [Objective("latency_ms", "minimize"), Objective("num_parameters", "minimize")]
    scores = build(path, SPACE, objectives).evaluate([Proposal(SPACE.reference())])[0].scores
    assert scores == {"latency_ms": pytest.approx(2.0), "num_parameters": 123_456}
    report = table.report(SPACE.reference())
    assert report["hash"] == 88_811
    assert report["test_accuracy"] == pytest.approx(1 - report["validation_accuracy"])
    with pytest.raises(ValueError, match="'test_accuracy' is not in the table; allowed: validation_accuracy, lat"):
        build(path, SPACE, [Objective("test_accuracy", "maximize")])


def test_a_network_that_was_not_trained_is_a_failed_evaluation(path: Path) -> None:
    table = build(path, SPACE, [ACCURACY], data_set="proteins")
    trained, other = SPACE.from_name("0123-gcn-sage-arma-fc"), SPACE.from_name("0123-gcn-sage-arma-gat")
    evaluations = table.evaluate([Proposal(trained), Proposal(other)])
    assert evaluations[0].failure is None
    assert evaluations[1].failure == (
        "nasbench_graph:8-1-4-5-0 (0123-gcn-sage-arma-gat) is not in the table of proteins"
    )
    with pytest.raises(ValueError, match="not in the table of proteins; ask for a network"):
        table.report(other)


@pytest.mark.parametrize(
    "unknown",
    [
        Architecture("nasbench_graph", (0, 8, 8, 8, 8)),
        Architecture("nasbench_graph", (0, 9, 0, 0, 0)),
        Architecture("nasbench_graph", (0, 0, 0)),
        Architecture("other", (0, 0, 0, 0, 0)),
    ],
)
def test_what_is_no_member_is_a_failed_evaluation(table: TableEvaluator, unknown: Architecture) -> None:
    assert table.evaluate([Proposal(unknown)])[0].failure == f"{unknown.key} is not in the table of cora"


def test_a_space_of_fewer_operations_looks_up_the_same_networks(path: Path) -> None:
    for data_set in ("cora", "proteins"):
        whole, part = build(path, SPACE, [], data_set=data_set), build(path, OF_PROTEINS, [], data_set=data_set)
        for name in ("0112-gcn-sage-identity-fc", "0000-fc-fc-identity-arma"):
            assert whole.report(SPACE.from_name(name)) == part.report(OF_PROTEINS.from_name(name))


def test_a_fidelity_is_a_failed_evaluation(table: TableEvaluator) -> None:
    failure = table.evaluate([Proposal(SPACE.reference(), Fidelity(10))])[0].failure
    assert failure is not None
    assert "full trainings alone" in failure


def changed(name: str, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {**arrays, name: change(arrays[name])}


def with_value(place: Any, value: float) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def change(array: NDArray[Any]) -> NDArray[Any]:
        copy = array.copy()
        copy[place] = value
        return copy

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: {"columns": arrays["columns"]}, "has no .*cora_hash"),
        (changed("columns", lambda columns: columns[::-1]), "columns are"),
        (changed("cora_hash", lambda hashes: hashes[1:]), "are not 26206 rows of 4 columns"),
        (changed("cora_table", lambda table: table[:, 1:]), "are not 26206 rows of 4 columns"),
        (changed("cora_hash", lambda hashes: hashes.astype(float)), "hashes are float64"),
        (changed("cora_table", lambda table: table.astype(int)), "the table int64"),
        (changed("cora_hash", with_value(3, 9)), "hash 9 is not five digits from 0 to 8"),
        (changed("cora_hash", with_value(3, 100_000)), "hash 100000 is not"),
        (changed("cora_hash", with_value(3, -1)), "hash -1 is not"),
        (changed("cora_hash", with_value(3, 0)), "a hash occurs twice"),
        (changed("cora_table", with_value((5, 0), np.nan)), "an accuracy is not"),
        (changed("cora_table", with_value((5, 1), 1.5)), "an accuracy is not"),
        (changed("cora_table", with_value((5, 2), 0.0)), "not above 0"),
        (changed("cora_table", with_value((5, 3), np.inf)), "not above 0"),
    ],
)
def test_an_altered_table_is_refused_in_one_line(
    arrays: Arrays, tmp_path: Path, change: Callable[[Arrays], Arrays], message: str
) -> None:
    path = tmp_path / "table.npz"
    np.savez(path, allow_pickle=False, **change(arrays))
    with pytest.raises(ValueError, match=message) as caught:
        build(path, SPACE, [ACCURACY])
    assert "\n" not in str(caught.value)


def test_a_damaged_file_is_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 4] ^= 0xFF
    for content in (whole[:-100], whole[: len(whole) // 2], bytes(flipped), b"", b"PK\x03\x04", b"text"):
        damaged = tmp_path / "damaged.npz"
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match="is damaged, or no npz") as caught:
            build(damaged, SPACE, [ACCURACY])
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match="give the path"):
        build(tmp_path / "absent.npz", SPACE, [ACCURACY])


def test_pickles_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "table.npz", columns=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="Object arrays cannot be loaded"):
        build(tmp_path / "table.npz", SPACE, [ACCURACY])


def test_a_single_array_is_no_table(tmp_path: Path) -> None:
    np.save(tmp_path / "table.npy", np.zeros(3))
    with pytest.raises(ValueError, match="or no npz"):
        build(tmp_path / "table.npy", SPACE, [ACCURACY])


def no_task() -> Task:
    raise AssertionError("a table needs no data")


def test_the_tabular_evaluator_finds_the_benchmark_by_its_path(path: Path) -> None:
    name = "gnn_space.benchmarks.nasbench_graph"
    evaluator = tabular.build(
        SPACE, [ACCURACY], Streams(0), no_task, path=str(path), benchmark=name, data_set="proteins"
    )
    assert evaluator.evaluate([Proposal(SPACE.reference())])[0].failure is None
    evaluator.load_state_dict(evaluator.state_dict())
    with pytest.raises(ValueError, match="data_set is 'cifar10'; allowed: cora, citeseer"):
        tabular.build(SPACE, [ACCURACY], Streams(0), no_task, path=str(path), benchmark=name)
    with pytest.raises(ValueError, match="knows only 'nasbench_graph'"):
        build(path, nasbench201.build(), [ACCURACY])


def test_the_program_reports_the_gap(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--table", str(path), "--repetitions", "2", "--queries", "12", "--data-set", "proteins"]
    assert graph_tables.main([*arguments, "--bananas", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    # the last of 2,021 by hash, of test accuracy 1 - 2,020 / 100,000, is best by validation and worst by test
    gap = next(line for line in lines if line.startswith("proteins"))
    assert gap.split()[2:] == ["2.02", "97.98", "100", "2.02", "2021", "2021"]
    assert any(line.split() == ["proteins", "-1", "-1", "-1", "-1"] for line in lines)
    assert sum("bananas" in line for line in lines) == 1


@pytest.mark.parametrize("arguments", [[], ["--table", "absent.npz", "--repetitions", "1"]])
def test_the_program_needs_a_table_and_a_spread(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAS_TABLES_ROOT", raising=False)
    with pytest.raises(SystemExit):
        graph_tables.main(arguments)
