"""Runs the second part of the pipeline, from the selection to the report: `python -m flows.evaluation [--force]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flows.command_line import run_flow


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.evaluation", description="Select, retrain and evaluate what was found."
    )
    parser.add_argument("--force", action="store_true", help="run a stage even where nothing changed")
    return run_flow(_load, {"force": parser.parse_args(arguments).force})


def _load() -> Callable[..., Any]:
    """Imports the flow, and Prefect with it."""
    from flows.prefect_flows import evaluation

    return evaluation


if __name__ == "__main__":
    sys.exit(main())
