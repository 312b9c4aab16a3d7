"""The stage `compare`: the same results whatever the number of workers, nothing done twice, all of it in the files."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import pytest

from nas_core.data import manifest
from tasks import compare
from tasks.comparison import page, repetition
from tasks.comparison.contest import Contest
from tasks.comparison.course import Course
from tasks.tracking.entries import read_entry, waiting_paths

WriteParams = Callable[..., None]
RESULTS = Path("results/compare/small")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let records wait, as in a stage that DVC runs; take the code for the same while somebody edits it."""
    monkeypatch.setenv("DVC_STAGE", "compare@small")
    monkeypatch.setattr(compare, "_code_digest", lambda: "code")


@pytest.fixture
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw nothing, which takes seconds."""
    monkeypatch.setattr(page, "make_page", lambda *parts: page.ComparisonPage("a page", {}))


def results(root: Path) -> dict[str, bytes]:
    """Return the result files by name."""
    return {path.name: path.read_bytes() for path in (root / RESULTS).iterdir()}


def rows(root: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    return list(csv.DictReader((root / RESULTS / name).read_text().splitlines()))


@pytest.mark.usefixtures("_plain")
def test_the_number_of_workers_changes_nothing(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for workers in (1, 2):
        write_params(tmp_path / str(workers), small, workers)
        assert compare.compare_stage("small", tmp_path / str(workers)) == 0
    assert results(tmp_path / "1") == results(tmp_path / "2")
    assert "compare small: 14 searches, 0 of them done before" in capsys.readouterr().err


@pytest.mark.usefixtures("_plain")
def test_nothing_is_played_twice(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    played: list[tuple[str, int]] = []
    play = repetition.play

    def noted(contest: Contest, seed: int) -> Course:
        played.append((contest.strategy_key, seed))
        return play(contest, seed)

    monkeypatch.setattr(repetition, "play", noted)
    write_params(tmp_path, small)
    assert compare.compare_stage("small", tmp_path) == 0
    assert len(played) == len(set(played)) + 3 == 14  # "rounds" plays for each budget
    played.clear()
    before = results(tmp_path)
    assert compare.compare_stage("small", tmp_path) == 0
    assert (played, results(tmp_path)) == ([], before)

    small["strategies"]["without_repeats"] = {"strategy": "random_search", "settings": {"allow_repeats": False}}
    small["strategies"]["random_search"]["repetitions"] = 4
    small["seed"] = 6
    write_params(tmp_path, small)
    assert compare.compare_stage("small", tmp_path) == 0
    new = [("random_search", 8), ("random_search", 9), ("evolution", 8), ("rounds", 8), ("rounds", 8)]
    own = [("without_repeats", seed) for seed in (6, 7, 8)]
    assert played == [*new, ("hyperband", 7), *own]


@pytest.mark.usefixtures("_plain")
def test_an_interrupted_comparison_goes_on(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("whole", "stopped"):
        write_params(tmp_path / name, small)
    assert compare.compare_stage("small", tmp_path / "whole") == 0
    play, num_played = repetition.play, 0

    def interrupted(contest: Contest, seed: int) -> Course:
        nonlocal num_played
        num_played += 1
        if num_played % 4 == 0:
            raise KeyboardInterrupt
        return play(contest, seed)

    monkeypatch.setattr(repetition, "play", interrupted)
    codes = [compare.compare_stage("small", tmp_path / "stopped")]
    while codes[-1] == 130:
        codes.append(compare.compare_stage("small", tmp_path / "stopped"))
    assert codes[-1] == 0
    assert len(codes) > 2
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")


def test_what_the_files_say(small: dict[str, Any], write_params: WriteParams, tmp_path: Path) -> None:
    write_params(tmp_path, small)
    assert compare.compare_stage("small", tmp_path) == 0
    manifest.verify(tmp_path / RESULTS)
    found = json.loads((tmp_path / RESULTS / "comparison.json").read_text())
    reached = [
        float(row["value"])
        for row in rows(tmp_path, "repetitions.csv")
        if (row["strategy"], row["evaluations"], row["measure"]) == ("random_search", "6", "test_accuracy")
    ]
    assert len(reached) == 3
    (entry,) = (e for e in found["reached"] if (e["strategy"], e["budget"]) == ("random_search", 6))
    assert (entry["num_repetitions"], entry["run_for"]) == (3, 12)
    value, regret = entry["values"]["test_accuracy"], entry["regrets"]["test_accuracy"]
    assert value["mean"] == pytest.approx(fmean(reached))
    assert value["standard_deviation"] == pytest.approx(stdev(reached))
    assert value["mean"] + regret["mean"] == pytest.approx(0.99)
    # Student's quantile with 2 degrees of freedom is 4.3027
    assert value["interval"]["high"] - value["mean"] == pytest.approx(4.3027 * stdev(reached) / 3**0.5, rel=1e-4)

    # published .5 with .1 over 4 runs: Welch's interval has the difference in its middle
    (published,) = found["published"]
    assert published["difference"]["estimate"] == pytest.approx(fmean(reached) - 0.5)
    ranked = [(each["benchmark"], each["budget"], each["num_blocks"]) for each in found["rankings"]]
    assert ranked == [("drawn", 6, 2), ("drawn", 12, 2)]
    assert {row["measure"] for row in rows(tmp_path, "curves.csv")} == {"test_accuracy", "validation_accuracy"}
    last = [r for r in rows(tmp_path, "curves.csv") if r["strategy"] == "hyperband"][-1]
    assert last["evaluations"] == "12"
    shown = (tmp_path / RESULTS / "index.html").read_text()
    assert "Comparison small" in shown
    assert "somebody" in shown
    metrics = json.loads((tmp_path / "metrics/compare-small.json").read_text())
    assert set(metrics["benchmarks"]["drawn"]["12"]["evolution"]) == {
        "test_accuracy_regret",
        "validation_accuracy_regret",
        "mean_rank",
        "seconds",
    }


@pytest.mark.usefixtures("_plain")
def test_what_is_tracked(small: dict[str, Any], write_params: WriteParams, tmp_path: Path) -> None:
    write_params(tmp_path, small)
    assert compare.compare_stage("small", tmp_path) == 0
    (path,) = waiting_paths(tmp_path)
    record = read_entry(path).record
    assert [each.name for each in record.children] == [f"{key} on drawn" for key in small["strategies"]]
    curve = record.children[0].curves["test_accuracy_regret"]
    assert [step for step, _ in curve] == list(range(1, 13))
    assert record.metrics["drawn.12.random_search.mean_rank"] >= 1
    assert record.children[1].parameters["settings.population_size"] == 4


@pytest.mark.usefixtures("_plain")
def test_a_benchmark_without_test_accuracy_is_ranked_by_its_objective(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path
) -> None:
    drawn = small["benchmarks"]["drawn"]
    drawn["reported"], drawn["best"], drawn["published"] = None, {"validation_accuracy": 0.99}, []
    small["benchmarks"]["again"] = copy.deepcopy(drawn)
    small["test"] = "wilcoxon_holm"
    small["strategies"]["hyperband"]["benchmarks"] = ["again"]
    write_params(tmp_path, small)
    assert compare.compare_stage("small", tmp_path) == 0
    found = json.loads((tmp_path / RESULTS / "comparison.json").read_text())
    by_benchmark = {(e["benchmark"], e["budget"]): e for e in found["rankings"]}
    assert {e["measure"] for e in by_benchmark.values()} == {"validation_accuracy"}
    assert "hyperband" in by_benchmark["again", 12]["names"]
    assert by_benchmark[None, 12]["names"] == ["random_search", "evolution", "rounds"]
    assert by_benchmark[None, 12]["num_blocks"] == 2
    assert by_benchmark["drawn", 12]["critical_difference"] is None


def wrong(small: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return the section with a change."""
    change(small)
    return small


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda s: s["benchmarks"]["drawn"]["evaluator"].update(path="$NOWHERE_AT_ALL/x"),
            "compare.small.benchmarks.drawn: path is '$NOWHERE_AT_ALL/x', but the variable NOWHERE_AT_ALL is not set; "
            "set it to the folder that holds the file",
        ),
        (
            lambda s: s["benchmarks"]["drawn"].update(evaluator={"name": "tabular", "path": "no.csv"}),
            "compare.small.benchmarks.drawn: there is no no.csv; ",
        ),
        (
            lambda s: s["benchmarks"]["drawn"].update(epochs=None),
            "compare.small.strategies.hyperband: its proposals name their epochs; say by "
            "compare.small.benchmarks.drawn.epochs how many an evaluation has without that",
        ),
        (
            lambda s: (s["benchmarks"]["drawn"].pop("best"), s["benchmarks"]["drawn"].update(space="nasbench101")),
            "compare.small.benchmarks.drawn: space 'nasbench101' has up to 509,607,936 members, too many to look for "
            "the best; give it by 'best'",
        ),
        (
            lambda s: s["strategies"].update(darts={}),
            "compare.small.strategies.darts: evaluator 'tabular' has no shared weights",
        ),
        (
            lambda s: s["strategies"]["evolution"]["settings"].update(tournament_size=5),
            "compare.small.strategies.evolution: tournament_size is 5, larger than population_size 4; ",
        ),
    ],
)
def test_what_does_not_go_together_is_one_line_before_anything_runs(
    small: dict[str, Any],
    write_params: WriteParams,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, Any]], object],
    line: str,
) -> None:
    from comparison_toys import table

    from nas_core.evaluators import tabular

    monkeypatch.setattr(table, "check", tabular.check)
    write_params(tmp_path, wrong(small, change))
    assert compare.compare_stage("small", tmp_path) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: params.yaml: {line}")
    assert error.count("\n") == 1
    assert not (tmp_path / ".work/comparison").exists()


def test_a_comparison_that_is_not_there(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_params(tmp_path, small)
    assert compare.compare_stage("smal", tmp_path) == 2
    assert capsys.readouterr().err == (
        "error: --comparison is 'smal' (did you mean 'small'?); compare of params.yaml has small\n"
    )


@pytest.mark.usefixtures("_plain")
def test_a_worker_that_dies_is_one_line_and_what_was_done_is_kept(
    small: dict[str, Any], write_params: WriteParams, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small["benchmarks"]["drawn"]["evaluator"]["dies_once"] = str(tmp_path / "died")
    write_params(tmp_path, small, workers=2)
    assert compare.compare_stage("small", tmp_path) == 1
    assert "a worker process died" in capsys.readouterr().err
    assert compare.compare_stage("small", tmp_path) == 0
