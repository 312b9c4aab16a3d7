"""The environment variables that Prefect, DVC and MLflow read when they are imported."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.dvc_stage import OPT_OUTS

SERVER_START_TIMEOUT_SECONDS = 120


def set_defaults(root: Path) -> None:
    """Sets what the user has not set: no telemetry, Prefect's files in .work/prefect, its messages in its own log.

    Must be called before prefect is imported, which reads them once.
    """
    defaults = {
        **OPT_OUTS,
        "PREFECT_HOME": str(root / ".work" / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(SERVER_START_TIMEOUT_SECONDS),
        # What happens is printed once, by flows.stage_progress; the log of each run is kept by the server.
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
