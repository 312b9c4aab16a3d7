"""A comparison that is killed at any instant and started again ends with the results of one that was not."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import strace
import yaml

COMMAND = [sys.executable, "-m", "tasks.compare", "--comparison", "small"]
NUM_KILLS = 2
COMPARISON: dict[str, Any] = {
    "benchmarks": {
        "drawn": {
            "space": "nasbench201",
            "evaluator": {"name": "comparison_toys.table", "seconds": 0.002},
            "best": {"validation_accuracy": 0.99, "test_accuracy": 0.99},
        }
    },
    "strategies": {"random_search": {}, "local_search": {}},
    "budgets": [20],
    "repetitions": 30,
}


def lay_out(folder: Path) -> None:
    """Write params.yaml with the comparison."""
    document = yaml.safe_load((strace.PROJECT / "params.yaml").read_text())
    document["compare"] = {"small": COMPARISON}
    document["compute"]["workers"] = 2
    folder.mkdir()
    (folder / "params.yaml").write_text(yaml.safe_dump(document))


def kept(folder: Path) -> list[tuple[str, bytes]]:
    """Return the lines of the finished repetitions so far."""
    paths = (folder / ".work/comparison").glob("*/*.jsonl")
    return [(path.name, line) for path in sorted(paths) for line in path.read_bytes().splitlines()]


def results(folder: Path) -> dict[str, bytes]:
    """Return the result files by name."""
    return {path.name: path.read_bytes() for path in (folder / "results/compare/small").iterdir()}


@pytest.mark.timeout(120)
def test_a_killed_comparison_ends_alike_and_repeats_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "compare@small")
    for name in ("whole", "killed"):
        lay_out(tmp_path / name)
    folder = tmp_path / "killed"
    draw = random.Random(0)
    for number in range(NUM_KILLS):
        process = subprocess.Popen(COMMAND, cwd=folder, env=strace.environment(), stderr=subprocess.DEVNULL)
        before = len(kept(folder))
        while len(kept(folder)) <= before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == strace.KILLED, f"kill {number} came too late"
    done = kept(folder)
    assert 0 < len(done) < 60
    again, whole = (strace.run(COMMAND, tmp_path / name) for name in ("killed", "whole"))
    assert (again.returncode, whole.returncode) == (0, 0), again.stderr + whole.stderr
    assert set(done) <= set(kept(folder))
    assert len(kept(folder)) == 60
    assert results(folder) == results(tmp_path / "whole")
    assert sorted(path.name for path in folder.iterdir()) == [".work", "metrics", "params.yaml", "results"]
