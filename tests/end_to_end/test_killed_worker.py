"""Worker processes that die, and stages that die or are stopped while they have workers."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from small_checkout import EVOLUTION, HAZARDOUS, change, completed, environment, results, run, stage, wait_for


def test_candidates_that_kill_their_worker_or_fail_are_recorded_and_the_search_goes_on(checkout: Path) -> None:
    change(checkout, "search", "workers", value=2)

    completed(stage("search", "--strategy", HAZARDOUS), checkout)

    found = results(checkout, f"results/search/{HAZARDOUS}")
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


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_trainings_side_by_side_end_with_the_stage(checkout: Path, how: signal.Signals) -> None:
    change(checkout, "retrain", "schedule", "epochs", value=10_000)
    process = subprocess.Popen(
        stage("baselines"),
        cwd=checkout,
        env=environment(checkout),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    work = checkout / ".work" / "baselines"
    assert wait_for(lambda: len(list(work.glob("*/*.pt"))) == 2, 100)
    workers = psutil.Process(process.pid).children(recursive=True)

    if how == signal.SIGINT:
        os.killpg(process.pid, how)  # as Ctrl-C does
    else:
        process.send_signal(how)
    _, errors = process.communicate(timeout=120)

    assert wait_for(lambda: not any(worker.is_running() for worker in workers), 10)
    if how == signal.SIGINT:
        assert (process.returncode, errors) == (
            130,
            "interrupted: baselines stopped; the same command goes on from where it was\n",
        )


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
