"""One run at a time in a folder: two would write each other's outputs."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from tasks.tracking.locking import held


def run_lock(root: Path) -> AbstractContextManager[bool]:
    """Holds the folder's lock inside the block, and gives whether it was free; a dead process holds none."""
    return held(root / ".work" / "run.lock", 0.0)


def busy(root: Path) -> str:
    """Returns what to say where the lock was not free."""
    return f"another run is at work in {root}; wait for its end, or end it"
