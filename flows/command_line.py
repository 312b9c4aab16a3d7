"""What `python -m flows.pipeline`, `flows.search` and `flows.evaluation` have in common."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.best_so_far import best_so_far
from flows.closing_words import how_to_go_on, where_results_are
from flows.environment import SERVER_START_TIMEOUT_SECONDS, set_defaults
from flows.run_lock import busy, run_lock
from flows.temporary_server import ANSWER_SECONDS, TemporaryServer, is_healthy
from tasks.dvc_graph import read_stages, select_stages

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

OK = 0
FAILED = 1
WRONG_SETTINGS = 2
INTERRUPTED = 130


def run_flow(
    load_flow: Callable[[], Callable[..., Any]],
    parameters: Mapping[str, Any],
    *,
    stage_names: Sequence[str] = (),
    found_so_far: Callable[[Path], str] = best_so_far,
) -> int:
    """Runs a flow in the working directory, prints how it went, and returns the exit code.

    The code is 0, 1 (a stage failed), 2 (the settings are wrong; nothing was run) or 130 (Ctrl-C). An error is one line
    on standard error. The settings are checked before anything slow is imported.

    Args:
        load_flow: Imports the flow and returns it.
        parameters: The flow's parameters.
        stage_names: Stages that must exist.
        found_so_far: Given the folder of dvc.yaml, says in a few lines what the searches have found up to now.
    """
    root = Path.cwd()
    try:
        check_settings(root)
        state = _run(root, load_flow, parameters, stage_names)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTINGS
    except (RuntimeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"\ninterrupted.\n{how_to_go_on('')}")
        return INTERRUPTED
    if state.is_completed():
        print(f"\n{state.message}.\n{where_results_are(root)}")
        return OK
    if state.is_cancelled():
        print(f"\n{state.message}.\n{how_to_go_on(found_so_far(root))}")
        return INTERRUPTED
    print(f"error: {state.message}", file=sys.stderr)
    return FAILED


def check_settings(root: Path) -> None:
    """Checks params.yaml.

    Raises:
        ValueError: If it is wrong, or if there is no pipeline in this folder; one line.
    """
    from tasks.settings import load

    if not (root / "dvc.yaml").is_file():
        raise ValueError(f"there is no dvc.yaml in {root}; run this in the folder that holds it")
    load(root / "params.yaml")


def _run(
    root: Path, load_flow: Callable[[], Callable[..., Any]], parameters: Mapping[str, Any], stage_names: Sequence[str]
) -> State[Any]:
    """Runs the flow on the server that PREFECT_API_URL names, else on a temporary one, and returns its last state."""
    set_defaults(root)
    with run_lock(root) as free:  # only looks, to say it at once; the flow takes the lock for itself
        if not free:
            raise RuntimeError(busy(root))
    with _server() as wait_until_ready:
        flow = load_flow()
        select_stages(read_stages(root), stage_names)
        wait_until_ready()
        state = _state_of(flow, parameters)
        _send_what_is_pending()
    return state


def _state_of(flow: Callable[..., Any], parameters: Mapping[str, Any]) -> State[Any]:
    """Runs the flow and returns its last state.

    Raises:
        RuntimeError: If the server went away while the flow ran.
    """
    from httpx import HTTPError

    try:
        state: State[Any] = flow(**parameters, return_state=True)
    except HTTPError as error:
        raise RuntimeError(
            f"the Prefect server at {os.environ['PREFECT_API_URL']} went away ({type(error).__name__});"
            " nothing is lost: run the same command again"
        ) from error
    return state


@contextlib.contextmanager
def _server() -> Iterator[Callable[[], None]]:
    """Starts a server in the background where none is named; gives a function that returns when it answers."""
    named = os.environ.get("PREFECT_API_URL")
    if named is not None:
        if not is_healthy(named, ANSWER_SECONDS):
            raise RuntimeError(
                f"no Prefect server answers at {named}; start one with `prefect server start --host 127.0.0.1`,"
                " or unset PREFECT_API_URL and a run brings its own"
            )
        yield lambda: None
        return
    with TemporaryServer(Path(os.environ["PREFECT_HOME"]), SERVER_START_TIMEOUT_SECONDS) as server:
        os.environ["PREFECT_API_URL"] = server.api_url
        try:
            yield server.wait_until_ready
        finally:
            del os.environ["PREFECT_API_URL"]


def _send_what_is_pending() -> None:
    """Waits until the server has the run's last log lines and states, which Prefect sends in the background."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogHandler

    APILogHandler().flush()
    EventsWorker.drain_all(timeout=5)
