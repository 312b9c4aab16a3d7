"""The cross-validation of a search: what it lays out, what it runs, and what it does not run again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from flows import cross_validation
from tasks.settings import load

PROJECT = Path(__file__).parents[3]
STAGE = """
import json, pathlib, sys, yaml
fold = yaml.safe_load(open("params.yaml"))["prepare"]["fold"]
with open("log", "a") as log:
    log.write("ran\\n")
if pathlib.Path("broken").exists():
    sys.exit("error: it is broken")
metrics = {"test_accuracy": {"mean": 0.5 + fold / 10}, "validation_accuracy": {"mean": 0.5}, "num_parameters": 3}
regression = {"test_accuracy": 0.4, "validation_accuracy": 0.4}
random = {**metrics, "architectures": [{"num_parameters": 3}]}
for name, content in (
    ("retrain/0/metrics", {"status": "trained", **metrics}),
    ("baselines/baselines", {"reference": metrics, "random": random, "logistic_regression": regression}),
):
    path = pathlib.Path(f"results/{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
"""


@pytest.fixture
def folds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the options of a run of two folds, whose only stage is a small script."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cross_validation, "commands", lambda settings: [[sys.executable, "-c", STAGE]])
    return ["--params", str(PROJECT / "params.yaml"), "--folds", "2"]


def test_every_fold_runs_once(folds: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cross_validation.main(folds) == 0
    assert "searched" in capsys.readouterr().out
    assert [load(Path(f".folds/fold-{fold}/params.yaml")).prepare.fold for fold in range(2)] == [0, 1]
    found = json.loads(Path(".folds/cross_validation.json").read_text())
    assert found["networks"][0]["test_accuracy"]["values"] == [0.5, 0.6]
    assert cross_validation.main(folds) == 0
    assert Path(".folds/fold-0/log").read_text() == "ran\n"


def test_a_fold_that_fails_is_named_and_the_others_are_kept(
    folds: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path(".folds/fold-1").mkdir(parents=True)
    Path(".folds/fold-1/broken").touch()
    assert cross_validation.main(folds) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "error: fold 1: it is broken"
    Path(".folds/fold-1/broken").unlink()
    assert cross_validation.main(folds) == 0
    assert Path(".folds/fold-0/log").read_text() == "ran\n"


def test_the_stages_are_those_of_the_settings() -> None:
    names = [command[2] for command in cross_validation.commands(load(PROJECT / "params.yaml"))]
    assert names[0] == "tasks.prepare"
    assert names[-3:] == ["tasks.select", "tasks.retrain", "tasks.baselines"]
    assert names.count("tasks.search") == 5


def test_too_few_folds(capsys: pytest.CaptureFixture[str]) -> None:
    assert cross_validation.main(["--folds", "1"]) == 2
    assert capsys.readouterr().err.startswith("error: --folds is 1")
