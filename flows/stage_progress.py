"""What the stages of a run are doing, kept from many threads, and shown as a live table or as plain lines."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from rich.console import Console
    from rich.table import Table

WAITING = "Waiting"
RUNNING = "Running"
STYLES = {
    "Completed": "green",
    "Cached": "cyan",
    "Failed": "bold red",
    "NotReady": "yellow",
    "Cancelled": "yellow",
    RUNNING: "blue",
    WAITING: "dim",
}


@dataclass(frozen=True)
class StageRow:
    """One stage of a run: its state, when it started (by the monotonic clock), how long it took, its last line."""

    name: str
    state: str = WAITING
    started_at: float | None = None
    seconds: float | None = None
    text: str = ""
    num_attempts: int = 0

    def elapsed_seconds(self, now: float) -> float | None:
        """Returns how long the stage took, or has been running; None where it did not start."""
        if self.seconds is not None or self.started_at is None:
            return self.seconds
        return now - self.started_at


class StageProgress:
    """The rows of all stages of a run; safe to change from many threads."""

    def __init__(self, names: Sequence[str]) -> None:
        self._rows = {name: StageRow(name) for name in names}
        self._lock = threading.Lock()

    @property
    def rows(self) -> tuple[StageRow, ...]:
        """All stages, in the order of the pipeline."""
        with self._lock:
            return tuple(self._rows.values())

    @property
    def num_ended(self) -> int:
        """How many stages have reached their last state."""
        return sum(row.state not in (WAITING, RUNNING) for row in self.rows)

    def start(self, name: str) -> None:
        """Notes that an attempt at a stage starts."""
        with self._lock:
            row = self._rows[name]
            started_at = row.started_at or time.monotonic()
            self._rows[name] = replace(row, state=RUNNING, started_at=started_at, num_attempts=row.num_attempts + 1)

    def say(self, name: str, text: str) -> None:
        """Notes a stage's newest line of output."""
        with self._lock:
            self._rows[name] = replace(self._rows[name], text=text)

    def end(self, name: str, state: str, text: str) -> StageRow:
        """Notes a stage's last state and what there is to say about it; returns its row."""
        with self._lock:
            row = self._rows[name]
            seconds = row.elapsed_seconds(time.monotonic())
            self._rows[name] = replace(row, state=state, seconds=seconds, text=text)
            return self._rows[name]


def duration(seconds: float | None) -> str:
    """Returns a time as people write it: "", "3.2 s", "4 min 05 s", "2 h 03 min"."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def stage_table(rows: Sequence[StageRow]) -> Table:
    """Returns the rows as a table: stage, state, time, and the last line or the error."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("", overflow="ellipsis", no_wrap=True, ratio=1)
    now = time.monotonic()
    for row in rows:
        state = Text(row.state, style=STYLES.get(row.state, ""))
        table.add_row(row.name, state, duration(row.elapsed_seconds(now)), Text(row.text))
    return table


class LiveTable:
    """Shows the progress as a table that is drawn anew while the stages run, for a terminal."""

    def __init__(self, progress: StageProgress, console: Console) -> None:
        from rich.live import Live

        self._progress = progress
        self._live = Live(
            get_renderable=lambda: stage_table(progress.rows),
            console=console,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> LiveTable:
        """Starts drawing."""
        self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Draws the last state and stops."""
        self._live.stop()

    def note(self, row: StageRow) -> None:
        """Takes a stage's end; the table shows it by itself."""


class PlainLines:
    """Prints a line whenever a stage ends, and what runs every 30 s, for logs and pipes."""

    def __init__(self, progress: StageProgress, stream: TextIO, interval_seconds: float = 30.0) -> None:
        self._progress = progress
        self._stream = stream
        self._interval_seconds = interval_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plain-progress", daemon=True)

    def __enter__(self) -> PlainLines:
        """Starts printing."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stops printing."""
        self._ended.set()
        self._thread.join()

    def note(self, row: StageRow) -> None:
        """Prints that a stage ended."""
        rows = self._progress.rows
        text = f": {row.text}" if row.text else ""
        took = duration(row.seconds)
        self._print(f"[{self._progress.num_ended}/{len(rows)}] {row.name}  {row.state}  {took}".rstrip() + text)

    def _run(self) -> None:
        while not self._ended.wait(self._interval_seconds):
            now = time.monotonic()
            running = [
                f"{row.name} {duration(row.elapsed_seconds(now))}" + (f" ({row.text})" if row.text else "")
                for row in self._progress.rows
                if row.state == RUNNING
            ]
            self._print("running: " + ("; ".join(running) or "nothing yet, Prefect's server has not answered"))

    def _print(self, line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')}  {line}", file=self._stream, flush=True)
