"""The programs of `benchmarks` run with tiny numbers and print their figures."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_images

from benchmarks import (
    bananas_round,
    fidelity,
    figures,
    matrix,
    orchestration,
    predictors,
    tabular_loading,
    tabular_search,
    training,
)
from flows.stage_progress import StageRow
from flows.timing import keep_timing
from nas_core.architecture import Architecture
from nas_core.spaces import nasbench201
from tasks.dvc_graph import Stage

ROOT = Path(__file__).parents[3]


def tables(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Returns the tables of what a program printed with --json."""
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["tables"]
    return found


def column(table: dict[str, Any], name: str) -> list[Any]:
    return [row[table["columns"].index(name)] for row in table["rows"]]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the project's settings and tiny prepared data."""
    root = tmp_path_factory.mktemp("prepared")
    shutil.copyfile(ROOT / "params.yaml", root / "params.yaml")
    (root / "data" / "search").mkdir(parents=True)
    tiny_images.write(root / "data" / "search")
    return root


@pytest.fixture(scope="module")
def table_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in which the last digit of a cell decides its accuracy, from 0 to 40 percent before 200 epochs."""
    lines = ["index,arch,c10_val_12ep,c10_test_12ep,c10_val_200ep,c10_test_200ep"]
    space = nasbench201.build()
    for index, decisions in enumerate(itertools.product(range(5), repeat=6)):
        percent = 10 * decisions[-1]
        name = space.to_name(Architecture("nasbench201", decisions))
        lines.append(f"{index},{name},{percent},{percent},{percent + 50},{percent + 50}")
    path = tmp_path_factory.mktemp("tables") / tabular_search.FILE_NAME
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    return path


def test_tabular_search_reports_the_test_accuracy_of_what_the_validation_accuracy_chose(
    table_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        tabular_search.main(["--table", str(table_file), "--repetitions", "3", "--queries", "20", "--bananas", "2"])
        == 0
    )
    assert "microseconds a query" in capsys.readouterr().out

    tabular_search.main(["--table", str(table_file), "--repetitions", "3", "--queries", "60", "--json"])
    speed, parts, accuracy = tables(capsys)
    assert "archive and checkpoint, rounds of 10" in column(speed, "what")
    assert {"ask", "evaluate", "tell", "append, on disk"} <= set(column(parts, "part"))
    assert column(accuracy, "mean") == [90.0] * 4
    assert column(accuracy, "published")[0] == 93.70


def test_tabular_search_needs_a_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NAS_TABLES_ROOT", raising=False)
    with pytest.raises(SystemExit):
        tabular_search.main([])
    assert "--table" in capsys.readouterr().err


def test_tabular_loading_compares_files_with_compact_tables(
    table_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--tables", str(table_file.parent), "--repeats", "1", "--cells", "500", "--json"]
    assert tabular_loading.main(arguments) == 0
    (table,) = tables(capsys)
    assert column(table, "file") == [table_file.name, "compact", "compact, 500 cells of random numbers"]
    assert all(seconds > 0 for seconds in column(table, "seconds"))
    assert column(table, "seconds, ratio")[1] > 1
    monkeypatch.delenv("NAS_TABLES_ROOT", raising=False)
    with pytest.raises(SystemExit):
        tabular_loading.main([])
    assert "give --tables" in capsys.readouterr().err


def test_predictors_are_compared_on_cells_of_networks_that_they_have_not_seen(
    table_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["--tables", str(table_file.parent), "--benchmarks", "nasbench201-cifar10", "--sizes", "16"]
    arguments += ["--predictors", "random_forest", "--held-out", "20"]
    assert predictors.main([*arguments, "--draws", "3", "--least-draws", "2", "--seconds", "0", "--json"]) == 0
    full, search = tables(capsys)
    assert column(full, "encoding") == column(search, "encoding") == ["one_hot, raw", "one_hot", "path"]
    assert column(full, "draws") == [2] * 3
    assert column(full, "floor") == [0.261] * 3
    assert column(search, "floor") == [None] * 3
    # the last digit decides both accuracies, so that both protocols have one order; sums are rounded otherwise
    assert column(full, "kendall") == pytest.approx(column(search, "kendall"), abs=0.1)
    assert column(full, "kendall")[0] > 0.2
    monkeypatch.delenv("NAS_TABLES_ROOT", raising=False)
    with pytest.raises(SystemExit):
        predictors.main([])
    assert "give --tables" in capsys.readouterr().err


def test_every_predictor_has_the_encodings_that_it_takes() -> None:
    space = nasbench201.build()
    found = predictors.contenders(space, predictors.PREDICTORS)
    assert {contender.name for contender in found} == set(predictors.PREDICTORS)
    cells = [space.reference()] * 2
    shapes = {(each.name.rpartition(".")[2], each.encoding): each.encode(cells).shape for each in found}
    assert shapes["renas", "tensor"] == (2, *np.shape(space.feature_tensor(cells[0])))
    assert shapes["graph_network", "graph"] == (2, 8, 14)
    assert shapes["mlp_ensemble", "one_hot"] == shapes["random_forest", "one_hot, raw"] == (2, 30)
    assert ("random_forest", "path") in shapes


def test_cells_with_one_graph_are_one_network() -> None:
    space = nasbench201.build()
    # an edge that leads to no output changes nothing; which way a lone convolution takes, neither
    names = (
        "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",
        "|none~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|nor_conv_1x1~2|",
        "|nor_conv_3x3~0|+|none~0|none~1|+|none~0|nor_conv_1x1~1|none~2|",
        "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|none~2|",
    )
    numbers = predictors.groups(space, [space.canonical(space.from_name(name)) for name in names])
    assert numbers == [0, 0, 1, 1, 2]


def test_no_network_is_both_learnt_and_predicted() -> None:
    networks = [row // 3 for row in range(60)]
    examples, others = predictors.split(np.random.default_rng(0), networks, 5, 20)
    assert (len(examples), len(others)) == (5, 20)
    assert not {networks[row] for row in examples} & {networks[row] for row in others}
    more, _ = predictors.split(np.random.default_rng(0), networks, 8, 20)
    assert more[:5] == examples


def test_an_interval_is_by_students_t() -> None:
    # standard error 1 / sqrt(3), t of 2 degrees of freedom 4.302653
    assert predictors.mean_and_interval([1.0, 2.0, 3.0]) == pytest.approx((2.0, 4.302653 / 3**0.5))


def test_a_round_of_bananas_is_compared_with_a_loop(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--architectures", "8", "--candidates", "5", "--repetitions", "1", "--epochs", "2", "--json"]
    assert bananas_round.main(arguments) == 0
    (table,) = tables(capsys)
    assert column(table, "times the first")[0] == 1.0
    assert all(seconds > 0 for seconds in column(table, "seconds"))


def test_training_measures_ratios(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--root", str(prepared), "--cells", "1", "--full-epochs", "1", "--shared-epochs", "1", "--steps", "1"]
    assert training.main([*arguments, "--json"]) == 0
    spent, shared, path = tables(capsys)
    assert spent["rows"][0][2] == 1.0
    assert all(seconds > 0 for table in (spent, shared) for seconds in column(table, "seconds"))
    assert column(path, "ratio")[0] > 0


def test_fidelity_compares_every_variant_with_full_training(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--root", str(prepared), "--cells", "4", "--epochs", "1", "--data-fractions", "0.5", "--widths", "1"]
    assert fidelity.main([*arguments, "--full-epochs", "1", "2", "--resamples", "5", "--json"]) == 0
    full, *cheap = tables(capsys)
    assert column(full, "epochs") == [1, 2]
    assert column(full, "with longest")[1] == pytest.approx(1.0)
    assert [len(table["rows"]) for table in cheap] == [1, 1]
    assert -1 <= column(cheap[0], "spearman")[0] <= 1


def test_rank_correlations_count_ties() -> None:
    first, second = np.array([1.0, 2.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])
    # ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5); 5 pairs agree, 1 is tied: 5 / sqrt(5 * 6)
    assert fidelity.rank_correlations(first, second) == pytest.approx((4.5 / 22.5**0.5, 5 / 30**0.5))
    assert fidelity.rank_correlations(np.ones(4), second) == (0.0, 0.0)


def test_noise_of_the_seeds_bounds_the_correlation_with_their_mean() -> None:
    assert fidelity.largest_correlation(0.6, 1) == pytest.approx(0.6**0.5)
    assert fidelity.largest_correlation(0.5, 2) == pytest.approx((2 / 3) ** 0.5)
    assert fidelity.largest_correlation(-0.1, 2) == 0.0


def test_the_choice_among_ties_is_their_mean() -> None:
    assert fidelity.accuracy_of_choice(np.array([0.5, 0.9, 0.9]), np.array([1.0, 0.6, 0.8])) == pytest.approx(0.7)


def test_matrix_prints_every_strategy_and_evaluator(capsys: pytest.CaptureFixture[str]) -> None:
    assert matrix.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| strategy | ")
    (row,) = (line.split(" | ") for line in lines if line.startswith("| random_search |"))
    columns = dict(zip(lines[0].split(" | "), row, strict=True))
    assert columns["low_fidelity"] == "yes"
    assert columns["shared_weights"] == "genetic_cnn, nasbench201"
    assert columns["tabular"] == "nasbench101, nasbench201"

    assert matrix.main(["--json", "--spaces", "nasbench201"]) == 0
    (table,) = tables(capsys)
    evolution, darts = (
        dict(zip(table["columns"], row, strict=True))
        for name in ("regularized_evolution", "darts")
        for row in table["rows"]
        if row[0] == name
    )
    assert evolution["low_fidelity"] == darts["shared_weights"] == "yes"
    assert darts["tabular"] == "-"


@pytest.fixture
def finished_run(tmp_path: Path) -> Path:
    """A run of 40 s: the server until 5 s, a, then b and c side by side, then d; work 6 + 8 + 3 (or 4) + cached."""
    (tmp_path / ".work").mkdir()
    (tmp_path / "metrics").mkdir()
    start = 1_000_000.0
    stages = []
    for name, upstream, started, seconds, work, after in (
        ("a", [], 6.0, 10.0, 6.0, 1.0),
        ("b@x", ["a"], 16.0, 12.0, 8.0, 2.0),
        ("c", ["a"], 16.0, 8.0, 4.0, 2.0),
        ("d", ["b@x", "c"], 28.0, 2.0, None, None),
    ):
        state = "Cached" if work is None else "Completed"
        stages.append(
            {"name": name, "upstream": upstream, "state": state, "started": start + started, "seconds": seconds}
        )
        if work is not None:
            path = tmp_path / "metrics" / f"{name.replace('@', '-')}.json"
            path.write_text(json.dumps({"seconds": work}))
            os.utime(path, (start, start + started + seconds - after))
    record = {
        "format": 1,
        "process_started": start,
        "flow_started": start + 5.0,
        "flow_ended": start + 31.0,
        "max_parallel": 2,
        "stages": stages,
    }
    (tmp_path / ".work" / "last_run.json").write_text(json.dumps(record))
    return tmp_path


def test_orchestration_is_what_the_stages_own_work_does_not_need(
    finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert orchestration.main(["--root", str(finished_run), "--repeats", "0", "--json"]) == 0
    stages, parts = tables(capsys)
    assert column(stages, "before") == pytest.approx([3.0, 2.0, 2.0, None])
    assert column(stages, "work") == pytest.approx([6.0, 8.0, 4.0, 0.0])
    assert column(stages, "after") == pytest.approx([1.0, 2.0, 2.0, None])
    seconds = dict(zip(column(parts, "part"), column(parts, "seconds"), strict=True))
    # 26 s of flow; a, then the longer of b and c: 10 + 12 + 2 as seen, 6 + 8 + 0 of work
    assert seconds["main job, the server's start left out"] == pytest.approx(26.0)
    assert seconds["the stages' own work"] == pytest.approx(14.0)
    assert seconds["orchestration"] == pytest.approx(12.0)
    assert seconds["- between the stages: Prefect"] == pytest.approx(2.0)
    assert seconds["summed: stages that were cached"] == pytest.approx(2.0)


def test_orchestration_reads_what_the_flow_keeps(tmp_path: Path) -> None:
    now, monotonic = time.time(), time.monotonic()
    rows = [StageRow("a", "Completed", monotonic - 9.0, 4.0), StageRow("b", "Cached", monotonic - 5.0, 1.0)]
    keep_timing(tmp_path, [Stage("a", ()), Stage("b", ("a",))], rows, flow_started=now - 10.0, max_parallel=2)
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "a.json").write_text('{"seconds": 2.0}')
    os.utime(tmp_path / "metrics" / "a.json", (now, now - 6.0))
    run = orchestration.read_run(tmp_path)
    assert run is not None
    assert run.seconds - run.until_flow == pytest.approx(10.0, abs=0.5)
    first, second = run.stages
    assert (first.before, first.work, first.after) == (pytest.approx(1.0, abs=0.5), 2.0, pytest.approx(1.0, abs=0.5))
    assert (second.upstream, second.work, second.seconds) == (("a",), 0.0, 1.0)


def test_orchestration_refuses_a_run_that_failed(finished_run: Path) -> None:
    path = finished_run / ".work" / "last_run.json"
    path.write_text(path.read_text().replace('"Cached"', '"Failed"'))
    with pytest.raises(ValueError, match="did not end well"):
        orchestration.read_run(finished_run)


def test_orchestration_times_commands(finished_run: Path) -> None:
    wall_seconds, processor_seconds = orchestration.command_seconds(("-c", "import sys"), finished_run, repeats=1)
    assert wall_seconds > 0
    assert processor_seconds >= 0
    with pytest.raises(RuntimeError, match="ended with 1"):
        orchestration.command_seconds(("-c", "import no_such_module"), finished_run, repeats=1)


def test_makespan_waits_for_a_place() -> None:
    stages = [
        orchestration.StageTiming(name, upstream, "Completed", 0.0, None, 0.0, None)
        for name, upstream in (("a", ()), ("b", ()), ("c", ()), ("d", ("a",)))
    ]
    seconds = {"a": 4.0, "b": 1.0, "c": 2.0, "d": 1.0}
    assert orchestration.makespan(stages, seconds, 1) == 8.0
    assert orchestration.makespan(stages, seconds, 2) == 5.0


def test_a_table_is_aligned_and_can_be_markdown() -> None:
    table = figures.Table("title", ("name", "value"), (("one", 1.0), ("three", None)))
    assert figures.as_text(table) == "title\nname   value\none        1\nthree"
    assert figures.as_markdown(table) == "| name | value |\n| --- | --- |\n| one | 1 |\n| three |  |"
    with pytest.raises(ValueError, match="1 values for 2 columns"):
        figures.Table("title", ("name", "value"), (("one",),))
