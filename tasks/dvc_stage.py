"""Runs one stage of the DVC pipeline: as a plain function, and as the Prefect task around it."""

from __future__ import annotations

import enum
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.supervised_process import Ending, EndingReason, run_supervised

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State, TaskRun

SETTINGS_ERROR_EXIT_CODE = 2  # a stage ends with it where trying again cannot help
OPT_OUTS = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}

Execute = Callable[[str, Callable[[str], None]], "StageResult"]


class StageState(enum.Enum):
    """How a stage ended."""

    COMPLETED = "Completed"
    CACHED = "Cached"
    FAILED = "Failed"
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"


@dataclass(frozen=True)
class StageResult:
    """How one attempt at a stage ended.

    `message` is one line: the stage's own error where it failed, "" where it completed. `exit_code` is that of the
    stage's command as DVC reports it, 0 where it did not fail.
    """

    name: str
    state: StageState
    seconds: float
    message: str = ""
    exit_code: int = 0

    @property
    def worth_retrying(self) -> bool:
        """Whether another attempt may succeed: not after a settings error, a timeout or a cancellation."""
        return self.state is StageState.FAILED and self.exit_code != SETTINGS_ERROR_EXIT_CODE


class StageFailed(RuntimeError):
    """A stage that did not complete; its text is the stage's own one-line message."""

    def __init__(self, result: StageResult) -> None:
        super().__init__(result.message)
        self.result = result


class StageOutput:
    """What DVC and the stage said, reduced to what a result needs: was it cached, what went wrong, with which code."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._cached_lines = (
            f"Stage '{name}' didn't change, skipping",
            f"Stage '{name}' is cached - skipping run, checking out outputs",
        )
        self.cached = False
        self._stage_error = ""
        self._dvc_error = ""
        self._last_line = ""

    def add(self, line: str) -> None:
        """Takes the next line of output."""
        text = line.strip()
        if text in self._cached_lines:
            self.cached = True
        elif text.startswith("error: "):
            self._stage_error = text.removeprefix("error: ").removeprefix(f"{self._name}: ")
        elif text.startswith("ERROR: "):
            self._dvc_error = text.removeprefix("ERROR: ")
        self._last_line = text

    @property
    def message(self) -> str:
        """The stage's last `error: ...` line; else DVC's; else the last line of all."""
        return self._stage_error or self._dvc_error or self._last_line

    @property
    def stage_exit_code(self) -> int:
        """The exit code of the stage's command as DVC reports it; 1 where it reports none."""
        reported = re.search(r"exited with (-?\d+)$", self._dvc_error)
        return int(reported[1]) if reported else 1


def stage_environment() -> dict[str, str]:
    """Returns the environment of a stage: `python` in its command is this interpreter, output is not held back."""
    folder = str(Path(sys.executable).parent)
    path = os.pathsep.join([folder, os.environ.get("PATH", os.defpath)])
    return {**OPT_OUTS, **os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"}


def run_stage(
    name: str,
    root: Path,
    *,
    timeout_seconds: float | None,
    cancelled: threading.Event,
    on_line: Callable[[str], None],
    force: bool = False,
) -> StageResult:
    """Runs `dvc repro -s NAME` in `root` and returns how it ended; a failure is a result, not an exception.

    All processes of the stage end with this call, with a timeout, a cancellation and the death of this process.

    Args:
        name: A stage of dvc.yaml ("search@darts"). Stages before it are not run.
        root: The folder of dvc.yaml.
        timeout_seconds: After so many seconds the stage is ended; None for no limit.
        cancelled: As soon as it is set the stage is ended.
        on_line: Called with every line of output.
        force: Run the stage even where nothing changed.
    """
    output = StageOutput(name)

    def take(line: str) -> None:
        output.add(line)
        on_line(line)

    # --wait-for-lock: stages side by side take DVC's lock in turn. -s: the stages before it are somebody else's task.
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "-s", *(["--force"] if force else []), name]
    ending = run_supervised(
        command,
        folder=root,
        environment=stage_environment(),
        timeout_seconds=timeout_seconds,
        cancelled=cancelled,
        on_line=take,
    )
    return _result(name, ending, output, timeout_seconds)


def _result(name: str, ending: Ending, output: StageOutput, timeout_seconds: float | None) -> StageResult:
    """Turns an ending and what was said into a result."""
    if ending.reason is EndingReason.CANCELLED:
        return StageResult(name, StageState.CANCELLED, ending.seconds, f"{name} was cancelled", ending.exit_code)
    if ending.reason is EndingReason.TIMED_OUT:
        message = f"{name} was ended after {timeout_seconds:g} s; raise pipeline.timeout_minutes in params.yaml"
        return StageResult(name, StageState.TIMED_OUT, ending.seconds, message, ending.exit_code)
    if ending.exit_code != 0:
        return StageResult(name, StageState.FAILED, ending.seconds, output.message, output.stage_exit_code)
    return StageResult(name, StageState.CACHED if output.cached else StageState.COMPLETED, ending.seconds)


def stage_task(execute: Execute, *, retries: int, retry_delay_seconds: float) -> Task[[str], Any]:
    """Returns the Prefect task that runs one stage by its name.

    Its final state is Completed, Cached, Failed or Cancelled; that of a task whose upstream failed is NotReady.

    Args:
        execute: Runs a stage, given its name and a function that takes its lines of output (the log of the run).
        retries: How often a failed stage is tried again, where that may help.
        retry_delay_seconds: The pause before each new attempt.
    """
    from prefect import get_run_logger, task
    from prefect.cache_policies import NO_CACHE
    from prefect.states import Cancelled, Completed

    def may_help(failed_task: object, task_run: TaskRun, state: State[Any]) -> bool:
        error = state.result(raise_on_failure=False)
        return not isinstance(error, StageFailed) or error.result.worth_retrying

    @task(
        name="stage",
        retries=retries,
        retry_delay_seconds=retry_delay_seconds,
        retry_condition_fn=may_help,
        cache_policy=NO_CACHE,  # whether a stage must run is DVC's question
        persist_result=False,
    )
    def stage(name: str) -> Any:
        result = execute(name, get_run_logger().info)
        if result.state is StageState.COMPLETED:
            return result
        if result.state is StageState.CACHED:
            return Completed(name="Cached", message="nothing changed", data=result)
        if result.state is StageState.CANCELLED:
            return Cancelled(message=result.message)
        raise StageFailed(result)

    return stage
