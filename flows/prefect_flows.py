"""The Prefect flows of the project: the whole pipeline, and two parts of it.

A flow reads params.yaml and dvc.yaml in the working directory when it runs, so that a deployment follows both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Failed

from flows.run_lock import busy, run_lock
from flows.stage_run import RunSettings, run_in_flow
from tasks.dvc_graph import read_stages, select_stages

SEARCH = ("prepare", "search")
EVALUATION = ("select", "retrain", "baselines", "transfer", "robustness", "report")


@flow(name="pipeline", persist_result=False)
def pipeline(stages: list[str] | None = None, force: bool = False) -> State[Any]:
    """Runs every stage of dvc.yaml, or only the named stages and groups of stages."""
    return _run(stages or (), force=force)


@flow(name="search", persist_result=False)
def search(force: bool = False) -> State[Any]:
    """Prepares the data and runs every search."""
    return _run(SEARCH, force=force)


@flow(name="evaluation", persist_result=False)
def evaluation(force: bool = False) -> State[Any]:
    """Selects, retrains and evaluates what earlier searches found, and writes the report."""
    return _run(EVALUATION, force=force)


@flow(name="compare", persist_result=False)
def compare(stages: list[str] | None = None, force: bool = False) -> State[Any]:
    """Runs every comparison of params.yaml, or only the named stages."""
    return _run(stages or ("compare",), force=force)


def _run(names: tuple[str, ...] | list[str], *, force: bool) -> State[Any]:
    """Runs the named stages, or all where none is named, as params.yaml asks."""
    from tasks.settings import load

    root = Path.cwd()
    try:
        settings = load(root / "params.yaml").pipeline
        stages = read_stages(root)
        chosen = select_stages(stages, names) if names else stages
    except ValueError as error:
        return Failed(message=str(error))
    run_settings = RunSettings(
        retries=settings.retries,
        retry_delay_seconds=settings.retry_delay_seconds,
        timeout_seconds=60.0 * settings.timeout_minutes,
        max_parallel=settings.max_parallel,
        force=force,
    )
    with run_lock(root) as got:
        return run_in_flow(root, chosen, run_settings) if got else Failed(message=busy(root))
