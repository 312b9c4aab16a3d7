"""A checkout with small settings and tiny data, its stages as users run them, and what they write."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tiny_images
import yaml

from nas_core.atomic_files import write_json
from nas_core.data import manifest

PROJECT = Path(__file__).parents[2]
CLOCK = ("seconds", "evaluation_seconds", "training_seconds", "crc32")
EVOLUTION, DARTS, HAZARDOUS = "regularized_evolution", "darts", "hazardous"
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


def make(folder: Path) -> None:
    """Make a checkout with small settings and tiny prepared data, in which nothing was run yet."""
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
            HAZARDOUS: {"strategy": "random_search", "evaluator": "hazardous", "evaluations": 12, "seeds": [0]},
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


def change(folder: Path, *keys: str, value: Any) -> None:
    """Change one setting of a checkout."""
    params = section = yaml.safe_load((folder / "params.yaml").read_text())
    for key in keys[:-1]:
        section = section[key]
    section[keys[-1]] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(params))


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


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether a condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()
