"""The set of installed packages with which Prefect's server really works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_the_server_can_be_imported() -> None:
    """With a later fastapi than the one that is allowed it cannot, although `pip check` is content."""
    command = [sys.executable, "-c", "import prefect.server.api.server"]
    subprocess.run(command, cwd=Path(__file__).parents[3], check=True, timeout=60)
