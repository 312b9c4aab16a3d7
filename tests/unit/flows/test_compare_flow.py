"""The command that compares: which comparisons it runs, where, with which settings, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from flows import compare
from tasks import compare as stage
from tasks.settings import load

PROJECT = Path(__file__).parents[3]
EXAMPLE = PROJECT / "benchmarks" / "compare.yaml"
SECTION = {
    "benchmarks": {
        "drawn": {
            "space": "nasbench201",
            "evaluator": "comparison_toys.table",
            "best": {"validation_accuracy": 0.99, "test_accuracy": 0.99},
        }
    },
    "strategies": {"random_search": {}, "local_search": {"repetitions": 9}},
    "budgets": [5],
    "repetitions": 20,
}


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Return the stages that were run, none of them really, in a folder with params.yaml and two comparisons."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text((PROJECT / "params.yaml").read_text())
    write(tmp_path, {"first": SECTION, "second": SECTION})
    found: list[tuple[str, Path]] = []

    def compare_stage(label: str, root: Path) -> int:
        found.append((label, root))
        return 0

    monkeypatch.setattr(stage, "compare_stage", compare_stage)
    return found


def write(folder: Path, compared: dict[str, Any], **sections: Any) -> None:
    """Write a file of comparisons; YAML without aliases."""
    dumper = yaml.SafeDumper
    dumper.ignore_aliases = lambda self, data: True  # type: ignore[method-assign]
    (folder / "file.yaml").write_text(yaml.dump({"compare": compared, **sections}, Dumper=dumper))


def test_every_comparison_of_a_file_runs_in_a_folder_of_its_own(ran: list[tuple[str, Path]], tmp_path: Path) -> None:
    assert compare.main(["--params", "file.yaml"]) == 0
    assert ran == [("first", Path(".compare")), ("second", Path(".compare"))]
    settings = load(Path(".compare/params.yaml"))
    assert list(settings.compare) == ["first", "second"]
    assert settings.search == load(Path("params.yaml")).search
    assert settings.tracking.uri == f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_the_command_line_lowers_repetitions_and_chooses(ran: list[tuple[str, Path]]) -> None:
    options = ["--params", "file.yaml", "--only", "second", "--folder", "x/y", "--repetitions", "12", "--workers", "5"]
    assert compare.main(options) == 0
    assert ran == [("second", Path("x/y"))]
    settings = load(Path("x/y/params.yaml"))
    assert settings.compute.workers == 5
    chosen = settings.compare["second"]
    assert (chosen.repetitions, chosen.strategies["local_search"].repetitions) == (12, 9)


def test_ctrl_c_ends_all(ran: list[tuple[str, Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "compare_stage", lambda label, root: ran.append((label, root)) or 130)
    assert compare.main(["--params", "file.yaml"]) == 130
    assert len(ran) == 1


def test_a_failure_is_told_and_the_next_one_runs(ran: list[tuple[str, Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "compare_stage", lambda label, root: ran.append((label, root)) or len(ran) % 2)
    assert compare.main(["--params", "file.yaml"]) == 1
    assert len(ran) == 2


def changed(**changes: Any) -> dict[str, Any]:
    """Return the section with other values."""
    return {**SECTION, **changes}


@pytest.mark.parametrize(
    ("compared", "options", "line"),
    [
        (
            {},
            [],
            "file.yaml: compare is empty, there is nothing to compare; benchmarks/compare.yaml shows how to ",
        ),
        ({"a": SECTION}, ["--only", "b"], "--only has 'b'; compare of file.yaml has a"),
        (
            {"a": changed(strategies={"random_serch": {}})},
            [],
            "file.yaml: compare.a.strategies.random_serch names no strategy (did you mean 'random_search'?); allowed: ",
        ),
        (
            {"a": changed(benchmark={})},
            [],
            "file.yaml: compare.a.benchmark is unknown (did you mean 'benchmarks'?); allowed here: benchmarks, ",
        ),
        ({"a": changed(budgets=[200, 100])}, [], "file.yaml: compare.a.budgets is [200, 100]; budgets rise, write "),
        ({"a": changed(budgets=[0])}, [], "file.yaml: compare.a.budgets.0 is 0; it must be at least 1"),
        ({"a": changed(repetitions=1)}, [], "file.yaml: compare.a.repetitions is 1; it must be at least 2"),
        (
            {"a": changed(test="nemeny")},
            [],
            "file.yaml: compare.a.test is 'nemeny' (did you mean 'nemenyi'?); allowed: ",
        ),
        (
            {"a": changed(strategies={"random_search": {"settings": {"repeats": True}}})},
            [],
            "file.yaml: compare.a.strategies.random_search.settings.repeats is unknown (did you mean 'allow_repeats'?)",
        ),
        (
            {"a": changed(strategies={"random_search": {"benchmarks": ["draw"]}})},
            [],
            "file.yaml: compare.a: strategies.random_search.benchmarks has 'draw' (did you mean 'drawn'?); ",
        ),
        (
            {"a": changed(strategies={"assisted_evolution": {}})},
            [],
            "file.yaml: compare.a.strategies.assisted_evolution: strategy 'assisted_evolution' asks for ",
        ),
        (
            {"a": changed(benchmarks={"x": {"space": "nasbench201", "evaluator": {"name": "tabular"}}})},
            [],
            "file.yaml: compare.a.benchmarks.x.evaluator.path is missing; add it",
        ),
        (
            {"a": SECTION},
            ["--repetitions", "1"],
            "file.yaml: compare.a.strategies.local_search.repetitions is 1; it must ",
        ),
    ],
)
def test_a_mistake_is_one_line(
    ran: list[tuple[str, Path]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    compared: dict[str, Any],
    options: list[str],
    line: str,
) -> None:
    write(tmp_path, compared)
    assert compare.main(["--params", "file.yaml", *options]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {line}")
    assert error.count("\n") == 1
    assert (ran, Path(".compare").exists()) == ([], False)


def test_without_a_file_params_yaml_has_to_compare_something(
    ran: list[tuple[str, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare.main([]) == 2
    assert capsys.readouterr().err == (
        "error: params.yaml: compare is empty, there is nothing to compare; benchmarks/compare.yaml shows how to fill "
        "it\n"
    )


def test_the_comparison_of_the_readme_is_valid(ran: list[tuple[str, Path]]) -> None:
    """All of it but for the tables, which a new user has to download."""
    document = {**yaml.safe_load(Path("params.yaml").read_text()), **yaml.safe_load(EXAMPLE.read_text())}
    assert set(compare.settings_of(EXAMPLE.name, document).compare) == {"nasbench201", "nasbench101"}
