"""Keeps when the stages of the last run started and how long they took; no result depends on it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from flows.stage_progress import StageRow
from nas_core.atomic_files import write_json
from tasks.dvc_graph import Stage

FORMAT = 1
PATH = Path(".work") / "last_run.json"


def keep_timing(
    root: Path, stages: Sequence[Stage], rows: Sequence[StageRow], *, flow_started: float, max_parallel: int
) -> None:
    """Writes `.work/last_run.json`, for `python -m benchmarks.orchestration`.

    Args:
        root: The folder of dvc.yaml.
        stages: What was to run, each after all it waits for.
        rows: How each of them went, in the same order.
        flow_started: `time.time()` when the flow began.
        max_parallel: How many stages ran side by side, at most.
    """
    flow_ended = time.time()
    since_epoch = flow_ended - time.monotonic()
    record = {
        "format": FORMAT,
        "process_started": psutil.Process(os.getpid()).create_time(),
        "flow_started": flow_started,
        "flow_ended": flow_ended,
        "max_parallel": max_parallel,
        "stages": [
            {
                "name": stage.name,
                "upstream": list(stage.upstream),
                "state": row.state,
                "started": None if row.started_at is None else row.started_at + since_epoch,
                "seconds": row.seconds,
            }
            for stage, row in zip(stages, rows, strict=True)
        ],
    }
    with contextlib.suppress(OSError):  # a full disk must not make a failure of a run that went well
        write_json(root / PATH, record)
