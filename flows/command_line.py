"""What `python -m flows.pipeline`, `flows.search` and `flows.evaluation` have in common."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.closing_words import how_to_go_on, where_results_are
from flows.environment import SERVER_START_TIMEOUT_SECONDS, set_defaults
from flows.temporary_server import TemporaryServer
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
    best_so_far: Callable[[Path], str] = lambda root: "",
) -> int:
    """Runs a flow in the working directory, prints how it went, and returns the exit code.

    The code is 0, 1 (a stage failed), 2 (the settings are wrong; nothing was run) or 130 (Ctrl-C). An error is one line
    on standard error. The settings are checked before anything slow is imported.

    Args:
        load_flow: Imports the flow and returns it.
        parameters: The flow's parameters.
        stage_names: Stages that must exist.
        best_so_far: Given the folder of dvc.yaml, says in a few lines what the searches have found up to now.
    """
    root = Path.cwd()
    try:
        check_settings(root)
        state = _run(root, load_flow, parameters, stage_names)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTINGS
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(f"\ninterrupted.\n{how_to_go_on(root, best_so_far)}")
        return INTERRUPTED
    if state.is_completed():
        print(f"\n{state.message}.\n{where_results_are(root)}")
        return OK
    if state.is_cancelled():
        print(f"\n{state.message}.\n{how_to_go_on(root, best_so_far)}")
        return INTERRUPTED
    print(f"error: {state.message}", file=sys.stderr)
    return FAILED


def check_settings(root: Path) -> None:
    """Checks params.yaml.

    Raises:
        ValueError: If it is wrong, or if there is no pipeline in this folder; one line.
    """
    from tasks.settings import SettingsError, load

    if not (root / "dvc.yaml").is_file():
        raise ValueError(f"there is no dvc.yaml in {root}; run this in the folder that holds it")
    try:
        load(root / "params.yaml")
    except SettingsError as error:
        raise ValueError(str(error)) from error


def _run(
    root: Path, load_flow: Callable[[], Callable[..., Any]], parameters: Mapping[str, Any], stage_names: Sequence[str]
) -> State[Any]:
    """Runs the flow on the server that PREFECT_API_URL names, else on a temporary one, and returns its last state."""
    set_defaults(root)
    with _server() as wait_until_ready:
        flow = load_flow()
        select_stages(read_stages(root), stage_names)
        wait_until_ready()
        state: State[Any] = flow(**parameters, return_state=True)
        _send_what_is_pending()
    return state


@contextlib.contextmanager
def _server() -> Iterator[Callable[[], None]]:
    """Starts a server in the background where none is named; gives a function that returns when it answers."""
    if "PREFECT_API_URL" in os.environ:
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
