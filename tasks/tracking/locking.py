"""A lock between processes that the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_SECONDS = 0.05


@contextmanager
def held(path: Path, wait_seconds: float) -> Iterator[bool]:
    """Hold the flock on `path` inside the block; yields whether it was got within `wait_seconds`.

    Args:
        path: the lock's file, made where absent and never removed, since a removed file could be locked twice.
        wait_seconds: how long to try; 0 tries once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        got = _try(stream.fileno(), wait_seconds)
        try:
            yield got
        finally:
            if got:
                fcntl.flock(stream, fcntl.LOCK_UN)


def _try(descriptor: int, wait_seconds: float) -> bool:
    """Return whether the lock was got before the time was over."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(POLL_SECONDS)
        else:
            return True
