"""One run of some stages of dvc.yaml inside a Prefect flow: what every flow of this folder does."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from prefect.artifacts import create_progress_artifact, create_table_artifact, update_progress_artifact
from prefect.states import Cancelled, Completed, Failed
from rich.console import Console

from flows.interruption import interruption
from flows.stage_progress import WAITING, LiveTable, PlainLines, StageProgress, StageRow
from flows.stage_schedule import run_stages
from flows.timing import keep_timing
from tasks.dvc_graph import Stage
from tasks.dvc_stage import Execute, StageResult, run_stage, stage_task
from tasks.tracking.entries import waiting_paths

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


@dataclass(frozen=True)
class RunSettings:
    """How stages are run: side by side up to `max_parallel`, ended after `timeout_seconds`, `retries` new attempts."""

    retries: int
    retry_delay_seconds: float
    timeout_seconds: float | None
    max_parallel: int
    force: bool = False


def log_path(root: Path, name: str) -> Path:
    """Returns the file that holds the whole output of a stage's last run."""
    return root / ".work" / "logs" / f"{name}.log"


def run_in_flow(root: Path, stages: Sequence[Stage], settings: RunSettings) -> State[Any]:
    """Runs the stages inside the current Prefect flow and returns the state which that flow should end in.

    The state's message is one line about the stages. A progress artifact follows the run; a table artifact tells how
    each stage ended.

    Args:
        root: The folder of dvc.yaml.
        stages: Each after all it waits for.
        settings: How they are run.
    """
    flow_started = time.time()
    progress = StageProgress([stage.name for stage in stages])
    with interruption() as cancelled, _display(progress) as display:
        artifact = create_progress_artifact(
            0.0, key="progress", description="stages that have ended, of all of this run"
        )
        assert isinstance(artifact, UUID)  # a coroutine only where an event loop runs

        def on_end(name: str, state: State[Any]) -> None:
            display.note(progress.end(name, state.name or str(state.type.value), _explanation(state)))
            update_progress_artifact(artifact, 100.0 * progress.num_ended / len(stages))

        task = stage_task(
            _executor(root, settings, progress, cancelled),
            retries=settings.retries,
            retry_delay_seconds=settings.retry_delay_seconds,
        )
        run_stages(stages, task, max_parallel=settings.max_parallel, cancelled=cancelled, on_end=on_end)
        was_cancelled = cancelled.is_set()
    rows = progress.rows
    create_table_artifact(
        [{"stage": r.name, "state": r.state, "seconds": round(r.seconds or 0.0, 1), "message": r.text} for r in rows],
        key="stages",
    )
    keep_timing(root, stages, rows, flow_started=flow_started, max_parallel=settings.max_parallel)
    if not was_cancelled:
        _upload_waiting_runs(root)
    return _final_state(rows, root, was_cancelled=was_cancelled)


def _upload_waiting_runs(root: Path) -> None:
    """Uploads runs that still wait for MLflow: those of a run whose last stage, which does so, was not reached."""
    if waiting_paths(root):
        subprocess.run([sys.executable, "-m", "tasks.tracking", "--root", str(root)], cwd=root, check=False)


def _display(progress: StageProgress) -> LiveTable | PlainLines:
    """Returns the live table where standard output is a terminal, else plain lines."""
    if sys.stdout.isatty():
        return LiveTable(progress, Console())
    return PlainLines(progress, sys.stdout)


def _executor(root: Path, settings: RunSettings, progress: StageProgress, cancelled: threading.Event) -> Execute:
    """Returns the function that runs one stage, keeps its output in a file and tells the progress about it."""

    def execute(name: str, on_line: Callable[[str], None]) -> StageResult:
        progress.start(name)
        path = log_path(root, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", buffering=1) as log:

            def take(line: str) -> None:
                print(line, file=log)
                progress.say(name, line)
                on_line(line)

            return run_stage(
                name,
                root,
                timeout_seconds=settings.timeout_seconds,
                cancelled=cancelled,
                on_line=take,
                force=settings.force,
            )

    return execute


def _explanation(state: State[Any]) -> str:
    """Returns what there is to say about a stage's last state, in one line; nothing where all went well."""
    if state.is_completed():
        return ""
    result = state.result(raise_on_failure=False) if state.is_failed() else None
    text = str(result) if isinstance(result, Exception) else state.message or ""
    return " ".join(text.split())


def _final_state(rows: Sequence[StageRow], root: Path, *, was_cancelled: bool) -> State[Any]:
    """Returns the state of the whole run: Cancelled, Failed or Completed, with one line about the stages."""
    ended_well = [row for row in rows if row.state in ("Completed", "Cached")]
    failed = [row for row in rows if row.state not in ("Completed", "Cached", "NotReady", WAITING)]
    done = f"{len(ended_well)} of {len(rows)} stages are done"
    if was_cancelled:
        return Cancelled(message=f"interrupted; {done}")
    if len(ended_well) == len(rows):
        num_cached = sum(row.state == "Cached" for row in rows)
        return Completed(message=f"{done}, {num_cached} of them from the cache")
    first = failed[0]
    others = f" (also failed: {', '.join(row.name for row in failed[1:])})" if failed[1:] else ""
    where = log_path(root, first.name).relative_to(root)
    return Failed(message=f"stage {first.name}: {first.text}; {where} has all it said{others}; {done}")
