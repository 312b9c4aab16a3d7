"""Serves the pipeline on the schedule of params.yaml: `python -m flows.serve`, for as long as it runs."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.command_line import FAILED, INTERRUPTED, OK, WRONG_SETTINGS, check_settings
from flows.environment import set_defaults
from flows.temporary_server import ANSWER_SECONDS, is_healthy

DEPLOYMENT = "nightly"
DEFAULT_API_URL = "http://127.0.0.1:4200/api"  # where `prefect server start` listens


def main(arguments: Sequence[str] | None = None) -> int:
    """Creates the deployment with its schedule, runs what is due until Ctrl-C, and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.serve", description="Run the pipeline on the schedule of params.yaml."
    )
    parser.parse_args(arguments)
    root = Path.cwd()
    try:
        check_settings(root)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return WRONG_SETTINGS
    api_url = os.environ.setdefault("PREFECT_API_URL", DEFAULT_API_URL)
    if not is_healthy(api_url, ANSWER_SECONDS):
        print(
            f"error: no Prefect server answers at {api_url}; start one with `prefect server start --host 127.0.0.1`"
            " or set PREFECT_API_URL to a running one",
            file=sys.stderr,
        )
        return FAILED
    set_defaults(root)
    try:
        serve(root)
    except KeyboardInterrupt:
        return INTERRUPTED
    return OK


def serve(root: Path) -> None:
    """Serves the pipeline on the schedule of params.yaml, one run at a time; returns when it is asked to end."""
    from prefect.schedules import Cron

    from flows.prefect_flows import pipeline
    from tasks.settings import load

    settings = load(root / "params.yaml").schedule
    print(f"serving pipeline/{DEPLOYMENT}: {settings.cron} ({settings.timezone}); Ctrl-C ends it", flush=True)
    pipeline.serve(
        name=DEPLOYMENT,
        schedule=Cron(settings.cron, timezone=settings.timezone),
        limit=1,
        pause_on_shutdown=False,
        print_starting_message=False,
    )


if __name__ == "__main__":
    sys.exit(main())
