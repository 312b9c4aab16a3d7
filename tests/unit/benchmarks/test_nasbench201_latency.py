"""Latencies, several data sets and both lengths of training as objectives, out of CSV files and of a compact table."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_core.architecture import Architecture
from nas_core.benchmarks import nasbench101, nasbench201
from nas_core.data import benchmark_table
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.evaluators import tabular
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201 as cells
from tasks import import_table

SPACE = cells.build()
ACCURACY = Objective("validation_accuracy", "maximize")
CIFAR100 = Objective("cifar100_validation_accuracy", "maximize")
PHONE = Objective("pixel3_latency_ms", "minimize", "ms")
SERVER = Objective("gold_6226_latency_ms", "minimize", "ms")
CELLS = [Architecture("nasbench201", decisions) for decisions in itertools.product(range(5), repeat=6)]
NUM_CELLS = len(CELLS)


@pytest.fixture(scope="module")
def accuracy_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cell i has accuracies of i / 200 percent and the next seven hundredths."""
    columns = ("val_12ep", "test_12ep", "val_200ep", "test_200ep")
    names = [f"{prefix}_{column}" for prefix in ("c10", "c100") for column in columns]
    lines = [",".join(("index", "arch", *names))]
    for index, cell in enumerate(CELLS):
        percents = ",".join(f"{index / 200 + more / 100:.3f}" for more in range(8))
        lines.append(f"{index},{SPACE.to_name(cell)},{percents}")
    path = tmp_path_factory.mktemp("tables") / "accuracy.csv.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode(), 1))
    return path


def latency_text() -> str:
    """Cell i takes .001 (i + 1) ms on a phone and i + 2 on a server; the order is another one."""
    lines = [f"{index},{0.001 * (index + 1):.5f},{index + 2}" for index in reversed(range(NUM_CELLS))]
    return "\n".join(("index,pixel3,gold_6226", *lines))


@pytest.fixture(scope="module")
def latency_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "latency.csv"
    path.write_text(latency_text())
    return path


@pytest.fixture(scope="module")
def table_path(accuracy_path: Path, latency_path: Path) -> Path:
    path = accuracy_path.with_name("nasbench201.safetensors")
    arguments = ["--benchmark", "nasbench201", str(accuracy_path), str(path), "--latency", str(latency_path)]
    assert import_table.main(arguments) == 0
    return path


def no_task() -> None:
    raise AssertionError("a table needs no data")


def test_accuracies_and_latencies_are_objectives_together(accuracy_path: Path, latency_path: Path) -> None:
    objectives = [ACCURACY, CIFAR100, PHONE, SERVER]
    evaluator = tabular.build(
        SPACE, objectives, Streams(0), no_task, path=str(accuracy_path), latency_path=str(latency_path)
    )
    proposals = [Proposal(CELLS[400]), Proposal(CELLS[400], Fidelity(200)), Proposal(CELLS[0], Fidelity(12))]
    assert [dict(found.scores) for found in evaluator.evaluate(proposals)] == [
        {
            "validation_accuracy": first,
            "cifar100_validation_accuracy": second,
            "pixel3_latency_ms": phone,
            "gold_6226_latency_ms": server,
        }
        for first, second, phone, server in (
            (0.02, 0.0204, 0.401, 402.0),
            (0.0202, 0.0206, 0.401, 402.0),
            (0.0, 0.0004, 0.001, 2.0),
        )
    ]


def test_the_length_of_training_of_a_proposal_without_fidelity_is_a_setting(accuracy_path: Path) -> None:
    evaluator = tabular.build(SPACE, [ACCURACY], Streams(0), no_task, path=str(accuracy_path), epochs=200)
    proposals = [Proposal(CELLS[0]), Proposal(CELLS[0], Fidelity(12))]
    assert [found.scores["validation_accuracy"] for found in evaluator.evaluate(proposals)] == [0.0002, 0.0]
    with pytest.raises(ValueError, match="of cifar10 after 36 epochs; epochs it has: 12 and 200"):
        tabular.build(SPACE, [ACCURACY], Streams(0), no_task, path=str(accuracy_path), epochs=36)


def test_a_compact_table_gives_what_its_csv_files_give(
    accuracy_path: Path, latency_path: Path, table_path: Path
) -> None:
    proposals = [Proposal(cell) for cell in CELLS]
    found: list[list[Evaluation]] = []
    for path, latencies in ((accuracy_path, latency_path), (table_path, None)):
        evaluator = nasbench201.build(
            path, SPACE, [ACCURACY, PHONE, SERVER], data_set="cifar100", latency_path=latencies
        )
        found.append(evaluator.evaluate(proposals))
        assert evaluator.report(CELLS[7])["gold_6226_latency_ms"] == 9.0
    assert found[0] == found[1]


def test_an_unknown_device_is_named_with_those_that_are_known(accuracy_path: Path, table_path: Path) -> None:
    with pytest.raises(ValueError, match=r"of device 'pixel4', which was not measured; allowed: gold_6226, pixel3$"):
        nasbench201.build(table_path, SPACE, [Objective("pixel4_latency_ms", "minimize")])
    with pytest.raises(ValueError, match="has no latencies; give those by the setting latency_path"):
        nasbench201.build(accuracy_path, SPACE, [PHONE])
    with pytest.raises(
        ValueError, match=r"'latency_ms' is not in the table; allowed: validation_accuracy, .*DEVICE_lat"
    ):
        nasbench201.build(table_path, SPACE, [Objective("latency_ms", "minimize")])


def test_a_data_set_that_csv_files_lack(accuracy_path: Path) -> None:
    with pytest.raises(ValueError, match="has no imagenet16_120, which only the benchmark's own files have"):
        nasbench201.build(accuracy_path, SPACE, [ACCURACY], data_set="imagenet16_120")


def test_a_benchmark_without_the_setting_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="benchmark 'nasbench101' has no latency_path; remove that setting"):
        tabular.build(
            SPACE, [ACCURACY], Streams(0), no_task, path="absent", benchmark="nasbench101", latency_path="absent"
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "is no table of latencies"),
        (lambda text: text.replace("pixel3", "arch"), "is no table of latencies"),
        (lambda text: text.replace("index", "number"), "lacks the columns index"),
        (lambda text: text.replace("\n7,", "\n8,"), "has 15625 rows, of 15624 cells"),
        (lambda text: text.partition("\n0,")[0], "has 15624 rows, of 15624 cells"),
        (lambda text: text.replace("0.00100,2", "0.0,2"), "line 15626: a latency of .* is not above 0"),
        (lambda text: text.replace("0.00100,2", "nan,2"), "line 15626: a latency of .* is not above 0"),
        (lambda text: text.replace("0.00100,2", "fast,2"), "line 15626: could not convert"),
        (lambda text: text[:-2], "line 15626: it has 2 fields, not 3"),
    ],
)
def test_altered_latencies_are_refused_in_one_line(
    accuracy_path: Path, tmp_path: Path, change: Callable[[str], str], message: str
) -> None:
    path = tmp_path / "latency.csv"
    path.write_text(change(latency_text()))
    with pytest.raises(ValueError, match=message) as caught:
        nasbench201.build(accuracy_path, SPACE, [PHONE], latency_path=path)
    assert "\n" not in str(caught.value)


def test_a_compact_table_of_something_else_is_refused(table_path: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is a table of 'nasbench201', not of 'nasbench101'"):
        nasbench101.read(table_path)
    table = benchmark_table.read(table_path, "nasbench201")
    for name, column, message in (
        ("decisions", table.columns["decisions"][1:], "are not those of 15625 cells"),
        ("decisions", table.columns["decisions"][::-1] * 0, "a cell occurs twice"),
        ("index", table.columns["index"] + 1, "indices are not all official ones"),
        ("cifar10_test_accuracy_12_epochs", table.columns["pixel3_latency_ms"], "is not from 0 to 1"),
        ("pixel3_latency_ms", -table.columns["pixel3_latency_ms"], "a number in pixel3_latency_ms is below 0"),
        ("pixel3_latency_ms", table.columns["index"], "not a finite number a cell"),
    ):
        altered = benchmark_table.BenchmarkTable("nasbench201", {**table.columns, name: column})
        benchmark_table.write(tmp_path / "altered", altered)
        with pytest.raises(ValueError, match=message):
            nasbench201.build(tmp_path / "altered", SPACE, [ACCURACY])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--benchmark", "nasbench201", "absent.csv"], "there is no absent.csv; give the path"),
        (["--benchmark", "nasbench20", "absent.csv"], "unknown benchmark 'nasbench20'; did you mean 'nasbench201'"),
        (["--benchmark", "nasbench101", "absent.csv"], "there is no absent.csv; give the path"),
        (["--benchmark", "nasbench101", "x", "--latency", "y"], "'nasbench101' has no file of latencies"),
        (["--benchmark", "tasks.console", "x"], "'tasks.console' has no files to import"),
    ],
)
def test_a_failed_import_is_one_line_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark_option, name, source, *rest = arguments
    assert import_table.main([benchmark_option, name, source, str(tmp_path / "table"), *rest]) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert not said.out
    assert not list(tmp_path.iterdir())
