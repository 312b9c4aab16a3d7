"""Submits the stages of a run to Prefect, each as soon as all it waits for has ended and a place is free."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.dvc_graph import Stage

if TYPE_CHECKING:
    from prefect import Task
    from prefect.client.schemas.objects import State
    from prefect.futures import PrefectFuture

POLL_SECONDS = 0.1  # how late a cancellation may be noticed


def run_stages(
    stages: Sequence[Stage],
    task: Task[[str], Any],
    *,
    max_parallel: int,
    cancelled: threading.Event,
    on_end: Callable[[str, State[Any]], None],
) -> Mapping[str, State[Any]]:
    """Runs the stages inside the current flow and returns the last state of each that was submitted.

    A stage whose upstream did not complete is submitted all the same: Prefect gives it the state NotReady. Stages that
    do not depend on a failed one go on. A stage takes one of the places only when it can run, so none waits in vain
    while another could use the place (which is how a full thread pool would treat them).

    Args:
        stages: Each after all it waits for.
        task: Runs a stage by its name.
        max_parallel: How many run side by side, at most.
        cancelled: As soon as it is set no further stage is submitted; the running ones are the task's to end.
        on_end: Called in this thread when a stage has reached its last state.
    """
    if max_parallel < 1:
        raise ValueError(f"max_parallel is {max_parallel}, must be at least 1")
    ended: queue.SimpleQueue[str] = queue.SimpleQueue()
    futures: dict[str, PrefectFuture[Any]] = {}
    states: dict[str, State[Any]] = {}
    waiting = list(stages)
    while len(states) < len(futures) or waiting:
        if cancelled.is_set():
            waiting.clear()
        for stage in tuple(waiting):
            if len(futures) - len(states) == max_parallel:
                break
            if all(name in states for name in stage.upstream):
                waiting.remove(stage)
                future = task.with_options(name=stage.name, task_run_name=stage.name).submit(
                    stage.name, wait_for=[futures[name] for name in stage.upstream], return_state=False
                )
                futures[stage.name] = future
                future.add_done_callback(functools.partial(_put, ended, stage.name))
        try:
            name = ended.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        futures[name].wait()
        states[name] = futures[name].state
        on_end(name, states[name])
    return states


def _put(ended: queue.SimpleQueue[str], name: str, future: PrefectFuture[Any]) -> None:
    """Tells that the future of a stage is done; Prefect calls it in the stage's thread."""
    ended.put(name)
