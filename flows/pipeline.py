"""Runs the whole pipeline, or some stages of it: `python -m flows.pipeline [--stages NAME ...] [--force]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flows.command_line import run_flow


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m flows.pipeline", description="Run the pipeline of dvc.yaml.")
    parser.add_argument("--stages", nargs="+", default=[], metavar="NAME", help="only these: search, or search@darts")
    parser.add_argument("--force", action="store_true", help="run a stage even where nothing changed")
    options = parser.parse_args(arguments)
    return run_flow(_load, {"stages": options.stages or None, "force": options.force}, stage_names=options.stages)


def _load() -> Callable[..., Any]:
    """Imports the flow, and Prefect with it."""
    from flows.prefect_flows import pipeline

    return pipeline


if __name__ == "__main__":
    sys.exit(main())
