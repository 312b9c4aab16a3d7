"""Stages as users run them, by hand and by DVC, killed and started again; damaged data; candidates that kill."""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import tiny_images
import yaml

from nas_core.atomic_files import write_json
from nas_core.data import manifest

PROJECT = Path(__file__).parents[2]
CLOCK = ("seconds", "evaluation_seconds", "training_seconds", "crc32")
EVOLUTION, DARTS = "regularized_evolution", "darts"
NUM_EVALUATIONS = 8
HAZARDS = '''
"""An evaluator whose candidates meet with what befalls candidates."""
import multiprocessing, os, signal
from nas_core.evaluation import Evaluation
from nas_core.training.independent_evaluator import evaluate_one

def check(space, strategy, objectives):
    pass

def build(space, objectives, streams, load_task, *, deadly: int = 4):
    return Hazards(objectives, deadly)

class Hazards:
    def __init__(self, objectives, deadly):
        self.objectives, self.deadly = objectives, deadly
    def prepare(self, strategy):
        pass
    def evaluate(self, proposals):
        return [evaluate_one(lambda: self.score(proposal.architecture), proposal) for proposal in proposals]
    def score(self, architecture):
        match sum(architecture.decisions) % 5:
            case self.deadly if multiprocessing.parent_process() is not None:
                os.kill(os.getpid(), signal.SIGKILL)
            case 3:
                raise MemoryError("cannot allocate 8 TB")
            case 2:
                return {objective.name: float("nan") for objective in self.objectives}
            case 1:
                raise RuntimeError("a loss that went astray")
        return {objective.name: sum(architecture.decisions) / 100 for objective in self.objectives}
    def state_dict(self):
        return {}
    def load_state_dict(self, state):
        pass
'''


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a stage that DVC runs: its record waits, nothing is uploaded."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    return {
        **own,
        "PYTHONPATH": str(folder),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{own['PATH']}",
        "DVC_STAGE": "some",
        "DVC_NO_ANALYTICS": "1",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with small settings and tiny prepared data, in which nothing was run yet."""
    folder = tmp_path_factory.mktemp("checkout") / "pristine"
    ignored = shutil.ignore_patterns("__pycache__")
    for package in ("nas_core", "gnn_space", "tasks"):
        shutil.copytree(PROJECT / package, folder / package, ignore=ignored)
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copyfile(PROJECT / name, folder / name)
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    params["search"] |= {
        "space": {"name": "nasbench201", "channels": 2, "cells_per_stage": 1},
        "objectives": ["validation_accuracy", "num_parameters"],
        "seeds": [0, 1],
        "budget": {"evaluations": NUM_EVALUATIONS, "round_size": 2},
        "workers": 1,
        "evaluators": {"low_fidelity": {"epochs": 1}, "shared_weights": {}, "hazardous": {"name": "hazards.many"}},
        "strategies": {
            EVOLUTION: {"evaluator": "low_fidelity", "settings": {"population_size": 4, "tournament_size": 2}},
            DARTS: {"evaluator": "shared_weights", "round_size": 1},
            "hazardous": {"strategy": "random_search", "evaluator": "hazardous", "evaluations": 12, "seeds": [0]},
        },
    }
    params["retrain"] |= {"ranks": [0], "seeds": [0, 1], "schedule": {"epochs": 6, "batch_size": 32}}
    params["compute"] = {"device": "cpu", "threads": 1, "workers": 2}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    (folder / "hazards").mkdir()
    (folder / "hazards" / "__init__.py").touch()
    (folder / "hazards" / "many.py").write_text(HAZARDS)
    search, test = folder / "data" / "search", folder / "data" / "test"
    search.mkdir(parents=True)
    tiny_images.write(search, with_test=True)
    (search / "test").rename(test)
    selection = folder / "results" / "select"
    chosen = {"architecture": "nasbench201:3-1-0-4-2-2", "proposed_by": []}
    write_json(selection / "selection.json", {"format": 1, "candidates": [chosen]})
    for complete in (search, test, selection):
        manifest.write(complete)
    return folder


@pytest.fixture
def checkout(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the checkout for one test."""
    shutil.copytree(pristine, tmp_path / "checkout")
    return tmp_path / "checkout"


def stage(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", f"tasks.{name}", *options]


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False, timeout=120
    )


def completed(command: Sequence[str], folder: Path) -> None:
    ended = run(command, folder)
    assert ended.returncode == 0, ended
    assert "Traceback" not in ended.stderr


def killed(command: Sequence[str], folder: Path, moment: Callable[[], bool], delay_seconds: float) -> bool:
    """Start a command, kill it and all that it started soon after a moment; return whether it was still at work."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 100
    while not moment() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay_seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(10) == -signal.SIGKILL


def without_clock(value: Any) -> Any:
    """Return a value of a result file without what a clock has measured."""
    if isinstance(value, dict):
        return {name: without_clock(part) for name, part in value.items() if name not in CLOCK}
    if isinstance(value, list):
        return [without_clock(part) for part in value]
    return value


def read(path: Path) -> Any:
    """Return the content of a result file, the clock left out."""
    match path.suffix:
        case ".json":
            return without_clock(json.loads(path.read_bytes()))
        case ".jsonl":
            return [without_clock(json.loads(line)) for line in path.read_text().splitlines()]
        case ".csv":
            return [without_clock(row) for row in csv.DictReader(path.read_text().splitlines())]
        case _:
            return path.read_bytes()


def results(folder: Path, stage_folder: str) -> dict[str, Any]:
    """Return all that a stage has written; the manifest is verified and left out, as it has the clock's sums."""
    manifest.verify(folder / stage_folder)
    paths = [*(folder / stage_folder).iterdir(), *(folder / "metrics").iterdir(), *(folder / "plots").iterdir()]
    # an exported program is a zip file with the time of its writing
    return {path.name: read(path) for path in paths if path.name not in (manifest.FILE_NAME, "program.pt2")}


def num_archived(folder: Path, key: str) -> int:
    """Return how many evaluations a search has archived so far, in all repetitions."""
    paths = (folder / ".work" / f"search@{key}").glob("*/archive-*.jsonl")
    return sum(max(path.read_bytes().count(b"\n") - 1, 0) for path in paths)


def kill_and_complete(folder: Path, key: str, commands: Sequence[Sequence[str]]) -> None:
    """Kill all commands but the last at instants drawn from a seed; let the last complete."""
    draw = random.Random(key)
    instants = sorted(draw.sample(range(1, 2 * NUM_EVALUATIONS - 5), len(commands) - 1))
    num_kills = 0
    for command, instant in zip(commands, instants, strict=False):
        moment = lambda instant=instant: num_archived(folder, key) >= instant  # noqa: E731
        num_kills += killed(command, folder, moment, draw.uniform(0, 0.03))
        assert num_archived(folder, key) >= instant
    # a busy machine may let the last ones end before they are killed
    assert num_kills > 0
    completed(commands[-1], folder)


def test_a_search_killed_three_times_and_completed_by_dvc_ends_alike(pristine: Path, checkout: Path) -> None:
    by_hand = stage("search", "--strategy", EVOLUTION)
    by_dvc = [sys.executable, "-m", "dvc", "repro", "--quiet", "--single-item", f"search@{EVOLUTION}"]
    completed([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], checkout)
    kill_and_complete(checkout, EVOLUTION, [by_hand, by_hand, by_dvc, by_dvc])
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(by_hand, whole)

    folder = f"results/search/{EVOLUTION}"
    found, expected = results(checkout, folder), results(whole, folder)
    assert found == expected
    assert {"recommendations.json", "archive-0.jsonl", "archive-1.jsonl", "curve.csv"} <= found.keys()
    assert len(found["curve.csv"]) == 2 * NUM_EVALUATIONS
    recommendations = "results/search/regularized_evolution/recommendations.json"
    assert (checkout / recommendations).read_bytes() == (whole / recommendations).read_bytes()


@pytest.mark.exhaustive
@pytest.mark.timeout(900)
@pytest.mark.parametrize("key", [EVOLUTION, DARTS])
def test_a_search_killed_six_times_ends_alike(pristine: Path, checkout: Path, key: str) -> None:
    command = stage("search", "--strategy", key)
    kill_and_complete(checkout, key, [command] * 7)
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(command, whole)
    assert results(checkout, f"results/search/{key}") == results(whole, f"results/search/{key}")


def test_a_training_killed_amid_its_epochs_ends_with_the_same_weights(pristine: Path, checkout: Path) -> None:
    command = stage("retrain", "--rank", "0")
    seen: set[int] = set()

    def third_epoch_of_the_second_seed_is_kept() -> bool:
        for path in (checkout / ".work").glob("retrain@0/*/checkpoint-*-1.pt"):
            with contextlib.suppress(FileNotFoundError):
                seen.add(path.stat().st_mtime_ns)
        return len(seen) >= 3

    assert killed(command, checkout, third_epoch_of_the_second_seed_is_kept, 0.0)
    assert seen
    assert not (checkout / "results" / "retrain").exists()
    completed(command, checkout)
    whole = checkout.with_name("whole")
    shutil.copytree(pristine, whole)
    completed(command, whole)

    found, expected = results(checkout, "results/retrain/0"), results(whole, "results/retrain/0")
    assert found == expected
    assert {"metrics.json", "network-0.safetensors", "network-1.safetensors", "predictions.safetensors"} <= found.keys()
    assert len(found["curve.csv"]) == 12
    assert list((checkout / ".work" / "retrain@0").rglob("*.tmp")) == []


def test_candidates_that_kill_their_worker_or_fail_are_recorded_and_the_search_goes_on(checkout: Path) -> None:
    params = yaml.safe_load((checkout / "params.yaml").read_text())
    params["search"]["workers"] = 2
    (checkout / "params.yaml").write_text(yaml.safe_dump(params))

    completed(stage("search", "--strategy", "hazardous"), checkout)

    found = results(checkout, "results/search/hazardous")
    (repetition,) = found["recommendations.json"]["repetitions"]
    evaluations = found["archive-0.jsonl"][1:]
    failures = {line["failure"] for line in evaluations if "failure" in line}
    assert failures == {
        "its worker died in each of 3 attempts; it may need more memory than there is",
        "MemoryError: cannot allocate 8 TB",
        "RuntimeError: a loss that went astray",
        "ValueError: score 'validation_accuracy' is nan; record a failure instead of a value that is not finite",
    }
    assert repetition["num_evaluations"] == len(evaluations) == 12
    assert repetition["num_failures"] == sum("failure" in line for line in evaluations) < 12
    assert all(line["scores"]["validation_accuracy"] >= 0 for line in evaluations if "scores" in line)


@pytest.mark.parametrize("command", [stage("search", "--strategy", EVOLUTION), stage("retrain", "--rank", "0")])
def test_an_altered_byte_of_the_data_is_refused_in_one_line(checkout: Path, command: list[str]) -> None:
    path = checkout / "data" / "search" / "train.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)

    ended = run(command, checkout)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("error: ")
    assert f"{path} is damaged: its SHA-256 is not the one written; restore {path.parent}, or run the stage" in (
        ended.stderr
    )
    assert path.read_bytes() == content


def test_a_stage_that_another_process_is_at_says_so_in_one_line(checkout: Path) -> None:
    """As after a `dvc repro` that was killed without the stage that it had started."""
    lock = checkout / ".work" / f"search@{EVOLUTION}" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        ended = run(stage("search", "--strategy", EVOLUTION), checkout)

    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    expected = f"error: search@{EVOLUTION}: another process is at work on it in this folder; wait until it has ended"
    assert ended.stderr.startswith(expected)
