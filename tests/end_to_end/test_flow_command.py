"""`python -m flows.pipeline` as people use it: checked settings, a run, a repetition, Ctrl-C, and sudden death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from tasks.dvc_stage import stage_environment

PROJECT = Path(__file__).parents[2]
PIPELINE = {"retries": 0, "timeout_minutes": 2.0, "max_parallel": 2}
# `slow` sleeps as long as there is a file `wait`, in a process that it has started and that says who it is.
STAGES = """
stages:
  prepare: {cmd: cp source.txt data.txt, deps: [source.txt], outs: [data.txt]}
  slow:
    cmd: python slow.py
    deps: [data.txt, slow.py]
    outs: [slow.txt]
"""
SLOW = """
import pathlib, subprocess, sys
waiting = "import os, pathlib, time; pathlib.Path('id.txt').write_text(str(os.getpid()))\\n"
waiting += "while pathlib.Path('wait').exists(): time.sleep(0.05)"
subprocess.run([sys.executable, "-c", waiting], check=True)
pathlib.Path("slow.txt").write_text("done")
"""


def write_params(folder: Path, pipeline: dict[str, Any]) -> None:
    """Writes the project's params.yaml with another section `pipeline`."""
    params = yaml.safe_load((PROJECT / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump({**params, "pipeline": pipeline}))


@pytest.fixture(scope="module")
def prefect_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for Prefect's database, which takes seconds to create."""
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a pipeline of two stages."""
    command = [sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"]
    subprocess.run(command, cwd=tmp_path, env=stage_environment(), check=True)
    for name, text in {"dvc.yaml": STAGES, "slow.py": SLOW, "source.txt": "1"}.items():
        (tmp_path / name).write_text(text)
    write_params(tmp_path, PIPELINE)
    return tmp_path


@pytest.fixture
def environment(prefect_home: Path) -> dict[str, str]:
    """The environment of a user whose PREFECT_API_URL names no server."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    return {**own, "PYTHONPATH": str(PROJECT), "PREFECT_HOME": str(prefect_home)}


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Returns whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def start(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    """Starts the command."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.pipeline", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(folder: Path, environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """Runs the command to its end and returns its exit code and what it said."""
    process = start(folder, environment, *arguments)
    output, errors = process.communicate(timeout=120)
    return process.returncode, output, errors


def start_until_slow(folder: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Starts the command, waits until its second stage is at work, and returns all processes below the command."""
    (folder / "wait").touch()
    process = start(folder, environment)
    assert wait_for((folder / "id.txt").exists, 60)
    assert wait_for(lambda: (folder / "id.txt").read_text() != "", 5)
    below = psutil.Process(process.pid).children(recursive=True)
    assert int((folder / "id.txt").read_text()) in [child.pid for child in below]
    return process, below


def gone(processes: list[psutil.Process]) -> bool:
    """Tells whether none of the processes is alive."""
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_wrong_settings_are_one_line_within_a_second_and_import_nothing_slow(
    folder: Path, environment: dict[str, str]
) -> None:
    write_params(folder, {**PIPELINE, "retries": "many"})
    program = (
        "import sys; from flows.pipeline import main; code = main([]);"
        " print(*sorted({'prefect', 'dvc', 'torch', 'mlflow'} & set(sys.modules))); sys.exit(code)"
    )
    best_seconds = 60.0
    for _ in range(3):  # the best of three: the machine may be busy with something else
        started = time.monotonic()
        ended = subprocess.run(
            [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        best_seconds = min(best_seconds, time.monotonic() - started)

    assert (ended.returncode, ended.stdout) == (2, "\n")
    assert ended.stderr.startswith("error: params.yaml: pipeline.retries")
    assert ended.stderr.count("\n") == 1
    assert best_seconds < 1.0


def test_a_folder_without_a_pipeline_is_one_line(tmp_path: Path, environment: dict[str, str]) -> None:
    assert run(tmp_path, environment) == (
        2,
        "",
        f"error: there is no dvc.yaml in {tmp_path}; run this in the folder that holds it\n",
    )


def test_an_unknown_stage_is_one_line(folder: Path, environment: dict[str, str]) -> None:
    assert run(folder, environment, "--stages", "slwo") == (2, "", "error: unknown stage 'slwo'; did you mean slow?\n")


def test_ctrl_c_tells_how_to_go_on_and_leaves_nothing_running(folder: Path, environment: dict[str, str]) -> None:
    process, below = start_until_slow(folder, environment)

    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)

    assert (process.returncode, errors) == (130, "")
    assert "interrupted; 1 of 2 stages are done" in output
    assert "The same command goes on from here" in output
    assert wait_for(lambda: gone(below), 5)


def test_after_a_kill_nothing_survives_and_the_same_command_completes(
    folder: Path, environment: dict[str, str]
) -> None:
    process, below = start_until_slow(folder, environment)

    process.kill()
    process.communicate(timeout=120)

    assert wait_for(lambda: gone(below), 8)
    (folder / "wait").unlink()
    code, output, errors = run(folder, environment)
    assert (code, errors) == (0, "")
    assert "2 of 2 stages are done, 1 of them from the cache" in output
    assert f"mlflow server --backend-store-uri sqlite:///{folder}/mlflow.db" in output


def test_after_a_sigterm_nothing_survives(folder: Path, environment: dict[str, str]) -> None:
    process, below = start_until_slow(folder, environment)

    process.terminate()
    _, errors = process.communicate(timeout=120)

    assert process.returncode != 0
    assert "Traceback" not in errors
    assert wait_for(lambda: gone(below), 8)
