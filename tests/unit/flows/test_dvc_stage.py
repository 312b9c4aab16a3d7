"""One DVC stage as a result: contracts with DVC's words, and nothing that survives."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.dvc_stage import StageOutput, StageResult, StageState, run_stage


def run(root: Path, name: str, *, timeout_seconds: float = 60, force: bool = False) -> tuple[StageResult, list[str]]:
    """Runs a stage and returns its result and its lines."""
    lines: list[str] = []
    result = run_stage(
        name,
        root,
        timeout_seconds=timeout_seconds,
        cancelled=threading.Event(),
        on_line=lines.append,
        force=force,
    )
    return result, lines


def test_a_stage_completes_then_is_cached_and_runs_again_when_forced(toy_pipeline: Path) -> None:
    assert run(toy_pipeline, "prepare")[0].state is StageState.COMPLETED
    assert run(toy_pipeline, "search@darts")[0].state is StageState.COMPLETED
    assert run(toy_pipeline, "search@darts")[0].state is StageState.CACHED
    assert run(toy_pipeline, "search@darts", force=True)[0].state is StageState.COMPLETED


def test_outputs_that_come_back_from_the_cache_are_cached_too(toy_pipeline: Path) -> None:
    run(toy_pipeline, "prepare")
    (toy_pipeline / "data.txt").unlink()

    result, lines = run(toy_pipeline, "prepare")

    assert result.state is StageState.CACHED
    assert "Stage 'prepare' is cached - skipping run, checking out outputs" in lines
    assert (toy_pipeline / "data.txt").read_text() == "1"


def test_a_failure_is_the_stage_s_own_line_and_exit_code(toy_pipeline: Path) -> None:
    run(toy_pipeline, "prepare")

    result, lines = run(toy_pipeline, "baselines")

    assert (result.state, result.message, result.exit_code) == (StageState.FAILED, "no baseline is known", 3)
    assert "half way" in lines
    assert result.worth_retrying


def test_a_stage_that_dvc_does_not_know_fails_with_dvc_s_line(toy_pipeline: Path) -> None:
    result, _ = run(toy_pipeline, "nothing")

    assert result.state is StageState.FAILED
    assert "nothing" in result.message


def test_python_in_a_command_is_this_interpreter(pipeline_folder: Callable[[str], Path]) -> None:
    root = pipeline_folder("stages: {who: {cmd: 'python -c \"import sys; print(sys.prefix)\"'}}")

    _, lines = run(root, "who")

    assert sys.prefix in lines


def test_a_timeout_ends_the_stage_and_the_next_run_recovers(pipeline_folder: Callable[[str], Path]) -> None:
    root = pipeline_folder("stages: {slow: {cmd: 'test -e quick || sleep 60; echo done > out', outs: [out]}}")

    result, _ = run(root, "slow", timeout_seconds=2.5)
    (root / "quick").touch()
    again, _ = run(root, "slow")

    assert result.state is StageState.TIMED_OUT
    assert result.message == "slow was ended after 2.5 s; raise pipeline.timeout_minutes in params.yaml"
    assert not result.worth_retrying
    assert again.state is StageState.COMPLETED


@pytest.mark.parametrize(("exit_code", "worth"), [(2, False), (1, True), (-9, True)])
def test_a_settings_error_is_not_worth_another_attempt(exit_code: int, worth: bool) -> None:
    assert StageResult("a", StageState.FAILED, 1.0, "no", exit_code).worth_retrying is worth


def test_without_an_error_line_the_message_is_dvc_s_or_the_last() -> None:
    output = StageOutput("a")
    output.add("  KeyError: 'x'")
    assert output.message == "KeyError: 'x'"
    output.add("ERROR: failed to reproduce 'a': failed to run: python a.py, exited with -9")
    assert output.message.startswith("failed to reproduce 'a'")
    assert output.stage_exit_code == -9
