"""Progress for people: a bar at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

PLAIN_INTERVAL_SECONDS = 30.0


class Progress:
    """Counts the steps of something that takes long; made by `progress`."""

    def __init__(self, description: str, total: int) -> None:
        """Start at 0 of `total` steps."""
        self._description = description
        self._total = total
        self.done = 0
        self._started = self._shown = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._row = self._bar.add_task(description, total=total)
            self._bar.start()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps; `note` says what came of the last."""
        self.done += steps
        text = f"{self._description}  {note}" if note else self._description
        if self._bar is not None:
            self._bar.update(self._row, completed=self.done, description=text)
        elif time.monotonic() - self._shown >= PLAIN_INTERVAL_SECONDS:
            self._shown = time.monotonic()
            elapsed = self._shown - self._started
            print(f"{text}: {self.done}/{self._total}, {elapsed:.0f} s", file=sys.stderr, flush=True)

    def stop(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()


@contextmanager
def progress(description: str, total: int) -> Iterator[Progress]:
    """Show progress within a ``with`` block."""
    shown = Progress(description, total)
    try:
        yield shown
    finally:
        shown.stop()
