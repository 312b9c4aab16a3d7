"""Runs the first part of the pipeline, data and searches: `python -m flows.search [--force]`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from flows.command_line import run_flow


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.search", description="Prepare the data and run the searches."
    )
    parser.add_argument("--force", action="store_true", help="run a stage even where nothing changed")
    return run_flow(_load, {"force": parser.parse_args(arguments).force})


def _load() -> Callable[..., Any]:
    """Imports the flow, and Prefect with it."""
    from flows.prefect_flows import search

    return search


if __name__ == "__main__":
    sys.exit(main())
