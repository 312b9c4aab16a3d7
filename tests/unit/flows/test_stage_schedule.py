"""How the stages of a run pass through Prefect: order, places, states, retries."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tasks.dvc_graph import Stage
from tasks.dvc_stage import SETTINGS_ERROR_EXIT_CODE, Execute, StageResult, StageState

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.filterwarnings("ignore")]

OnLine = Callable[[str], None]


def completed(name: str) -> StageResult:
    """Returns the result of a stage that completed."""
    return StageResult(name, StageState.COMPLETED, 0.1)


def run(
    stages: tuple[Stage, ...],
    execute: Execute,
    *,
    retries: int = 0,
    max_parallel: int = 4,
    cancelled: threading.Event | None = None,
) -> dict[str, str]:
    """Runs the stages in a flow and returns the name of each one's last state."""
    from prefect import flow

    from flows.stage_schedule import run_stages
    from tasks.dvc_stage import stage_task

    ended: list[str] = []

    @flow(name="test")
    def whole() -> dict[str, Any]:
        return dict(
            run_stages(
                stages,
                stage_task(execute, retries=retries, retry_delay_seconds=0.0),
                max_parallel=max_parallel,
                cancelled=cancelled or threading.Event(),
                on_end=lambda name, state: ended.append(name),
            )
        )

    states = whole()
    assert sorted(ended) == sorted(states)
    return {name: state.name for name, state in states.items()}


def test_a_failure_stops_what_depends_on_it_and_nothing_else() -> None:
    def execute(name: str, on_line: OnLine) -> StageResult:
        on_line(f"this is {name}")
        if name == "cached":
            return StageResult(name, StageState.CACHED, 0.1)
        if name == "failing":
            return StageResult(name, StageState.FAILED, 0.1, "it broke", 1)
        return completed(name)

    stages = (
        Stage("first", ()),
        Stage("failing", ("first",)),
        Stage("cached", ("first",)),
        Stage("sibling", ("cached",)),
        Stage("dependent", ("failing", "sibling")),
        Stage("last", ("dependent",)),
    )

    assert run(stages, execute) == {
        "first": "Completed",
        "failing": "Failed",
        "cached": "Cached",
        "sibling": "Completed",
        "dependent": "NotReady",
        "last": "NotReady",
    }


@pytest.mark.parametrize(
    ("exit_code", "num_attempts", "state"), [(1, 2, "Completed"), (SETTINGS_ERROR_EXIT_CODE, 1, "Failed")]
)
def test_a_stage_that_fails_once_is_tried_again_unless_its_settings_are_wrong(
    exit_code: int, num_attempts: int, state: str
) -> None:
    attempts: list[str] = []

    def execute(name: str, on_line: OnLine) -> StageResult:
        attempts.append(name)
        return completed(name) if len(attempts) > 1 else StageResult(name, StageState.FAILED, 0.1, "no", exit_code)

    assert run((Stage("flaky", ()),), execute, retries=2) == {"flaky": state}
    assert len(attempts) == num_attempts


@pytest.mark.parametrize("max_parallel", [1, 3])
def test_no_more_stages_run_side_by_side_than_allowed(max_parallel: int) -> None:
    running: set[str] = set()
    most = 0

    def execute(name: str, on_line: OnLine) -> StageResult:
        nonlocal most
        running.add(name)
        most = max(most, len(running))
        time.sleep(0.2)
        running.discard(name)
        return completed(name)

    run(tuple(Stage(f"search@{key}", ()) for key in "abcde"), execute, max_parallel=max_parallel)

    assert most == max_parallel


def test_a_waiting_stage_takes_no_place_from_one_that_can_run() -> None:
    together = threading.Barrier(2)

    def execute(name: str, on_line: OnLine) -> StageResult:
        if name != "select":
            together.wait(20)  # breaks unless both run at the same time
        return completed(name)

    stages = (Stage("search", ()), Stage("select", ("search",)), Stage("baselines", ()))

    assert set(run(stages, execute, max_parallel=2).values()) == {"Completed"}


def test_after_a_cancellation_nothing_new_starts() -> None:
    cancelled = threading.Event()

    def execute(name: str, on_line: OnLine) -> StageResult:
        cancelled.set()
        return StageResult(name, StageState.CANCELLED, 0.1, f"{name} was cancelled")

    states = run((Stage("first", ()), Stage("second", ("first",))), execute, cancelled=cancelled)

    assert states == {"first": "Cancelled"}
