"""Runs a command, hands over its output line by line, and leaves no process of it behind."""

from __future__ import annotations

import codecs
import enum
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

SUPERVISOR = Path(__file__).with_name("supervisor.py")
GRACE_SECONDS = 3.0  # between SIGTERM and SIGKILL
POLL_SECONDS = 0.1  # how late a timeout or a cancellation may be noticed
GIVE_UP_SECONDS = 10.0  # beyond the grace: a process that even SIGKILL does not end is waiting for the kernel


class EndingReason(enum.Enum):
    """Why a supervised process ended."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Ending:
    """How a supervised process ended: why, with which exit code (128 + N after signal N), after how many seconds."""

    reason: EndingReason
    exit_code: int
    seconds: float


class LineSplitter:
    """Cuts a stream of UTF-8 bytes into lines, at line feeds and carriage returns; empty lines are left out."""

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        """Takes the next bytes and hands over every complete line; after the final bytes the rest too."""
        text = self._rest + self._decoder.decode(chunk, final)
        *lines, self._rest = text.replace("\r", "\n").split("\n")
        if final:
            lines.append(self._rest)
        for line in lines:
            if line.strip():
                self._on_line(line.rstrip())


def supervised_command(command: Sequence[str]) -> list[str]:
    """Returns the command line that runs this command under the supervisor."""
    return [sys.executable, "-I", "-S", str(SUPERVISOR), str(GRACE_SECONDS), *command]


def run_supervised(
    command: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    timeout_seconds: float | None,
    cancelled: threading.Event,
    on_line: Callable[[str], None],
) -> Ending:
    """Runs a command and returns how it ended; no process of it survives this call, nor the death of this process.

    Args:
        command: The program and its arguments.
        folder: The working directory.
        environment: All environment variables of the command.
        timeout_seconds: After so many seconds the command and all its descendants are ended; None for no limit.
        cancelled: As soon as it is set the same happens.
        on_line: Called in this thread with every line of standard output and standard error.
    """
    started = time.monotonic()
    give_up_at: float | None = None
    reason = EndingReason.EXITED
    lines = LineSplitter(on_line)
    process = subprocess.Popen(
        supervised_command(command),
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a Ctrl-C at the terminal reaches this process, which then ends the command in order
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        for chunk in _chunks(process.stdout):
            lines.feed(chunk)
            now = time.monotonic()
            if give_up_at is not None:
                if now > give_up_at:
                    break
            elif cancelled.is_set():
                reason = EndingReason.CANCELLED
            elif timeout_seconds is not None and now - started > timeout_seconds:
                reason = EndingReason.TIMED_OUT
            if reason is not EndingReason.EXITED and give_up_at is None:
                process.stdin.close()
                give_up_at = now + GRACE_SECONDS + GIVE_UP_SECONDS
        lines.feed(b"", final=True)
    finally:
        process.stdin.close()
        try:
            process.wait(GRACE_SECONDS + GIVE_UP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
    return Ending(reason, process.returncode, time.monotonic() - started)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Yields what arrives, and b"" whenever nothing did for a moment, until the stream ends."""
    while True:
        ready, _, _ = select.select([stream], [], [], POLL_SECONDS)
        if not ready:
            yield b""
            continue
        chunk = os.read(stream.fileno(), 65536)
        if not chunk:
            return
        yield chunk
