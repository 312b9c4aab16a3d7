"""Turns the first Ctrl-C into a wish that others can look at."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def interruption() -> Iterator[threading.Event]:
    """Gives an event that is set by the first Ctrl-C and, so that nothing goes on unwatched, when the block is left.

    The second Ctrl-C is a KeyboardInterrupt again. Only leaving the block sets the event outside the main thread, where
    no signal arrives, and in a process that was started to ignore Ctrl-C.
    """
    wished = threading.Event()
    earlier = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or earlier is signal.SIG_IGN:
        try:
            yield wished
        finally:
            wished.set()
        return

    def note(number: int, frame: FrameType | None) -> None:
        wished.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, note)
    try:
        yield wished
    finally:
        wished.set()
        signal.signal(signal.SIGINT, earlier)
