"""A supervised command leaves no process behind, however it or its parent ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tasks.supervised_process import Ending, EndingReason, LineSplitter, run_supervised

# Three generations: a shell, its child, and one that has left the session; each writes its id into a file.
FAMILY = """
import os, subprocess, sys, time
open("ids.txt", "a").write(f"{os.getpid()}\\n")
generation = int(sys.argv[1])
if generation:
    child = [sys.executable, sys.argv[0], str(generation - 1)]
    subprocess.Popen(child, start_new_session=generation == 1)
time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
"""


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """A program that starts two generations of descendants and then sleeps."""
    path = tmp_path / "family.py"
    path.write_text(FAMILY)
    return path


def run(
    folder: Path, *command: str, timeout_seconds: float | None = 30, cancelled: threading.Event | None = None
) -> tuple[Ending, list[str]]:
    """Runs Python on the arguments and returns how it ended and what it said."""
    lines: list[str] = []
    ending = run_supervised(
        [sys.executable, *command],
        folder=folder,
        environment=dict(os.environ),
        timeout_seconds=timeout_seconds,
        cancelled=cancelled or threading.Event(),
        on_line=lines.append,
    )
    return ending, lines


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    """Returns whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def ids(folder: Path) -> list[int]:
    """Returns the process ids that the family has written."""
    path = folder / "ids.txt"
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def none_lives(folder: Path) -> bool:
    """Tells whether every process of the family is gone."""
    return not any(psutil.pid_exists(number) and psutil.Process(number).status() != "zombie" for number in ids(folder))


def test_output_arrives_line_by_line_with_the_exit_code(tmp_path: Path) -> None:
    ending, lines = run(
        tmp_path, "-c", "import sys; print('one\\n\\ntwo'); print('three', file=sys.stderr); sys.exit(7)"
    )

    assert sorted(lines) == ["one", "three", "two"]
    assert (ending.reason, ending.exit_code) == (EndingReason.EXITED, 7)


def test_a_signal_is_told_as_a_shell_does(tmp_path: Path) -> None:
    ending, _ = run(tmp_path, "-c", "import os; os.kill(os.getpid(), 9)")

    assert ending.exit_code == 128 + 9


def test_a_program_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    lines: list[str] = []
    ending = run_supervised(
        ["no-such-program"],
        folder=tmp_path,
        environment=dict(os.environ),
        timeout_seconds=5,
        cancelled=threading.Event(),
        on_line=lines.append,
    )

    assert ending.exit_code == 127
    assert lines == ["error: cannot start no-such-program: No such file or directory"]


def test_lines_are_cut_at_carriage_returns_and_inside_characters() -> None:
    lines: list[str] = []
    splitter = LineSplitter(lines.append)
    for chunk in (b"10%\r20%\r", "é".encode()[:1], "é".encode()[1:] + b"nd\nrest"):
        splitter.feed(chunk)
    splitter.feed(b"", final=True)

    assert lines == ["10%", "20%", "énd", "rest"]


def test_a_timeout_ends_all_generations(tmp_path: Path, family: Path) -> None:
    ending, _ = run(tmp_path, str(family), "2", timeout_seconds=1.5)

    assert ending.reason is EndingReason.TIMED_OUT
    assert ending.seconds < 8
    assert len(ids(tmp_path)) == 3
    assert none_lives(tmp_path)


def test_a_cancellation_ends_all_generations(tmp_path: Path, family: Path) -> None:
    cancelled = threading.Event()
    threading.Thread(target=lambda: (wait_for(lambda: len(ids(tmp_path)) == 3), cancelled.set())).start()

    ending, _ = run(tmp_path, str(family), "2", cancelled=cancelled)

    assert ending.reason is EndingReason.CANCELLED
    assert none_lives(tmp_path)


def test_what_a_command_leaves_behind_ends_with_it(tmp_path: Path, family: Path) -> None:
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, {str(family)!r}, '1'])"
    wait = "\nimport time, pathlib\nwhile len(pathlib.Path('ids.txt').read_text().split()) < 2: time.sleep(0.05)"
    (tmp_path / "ids.txt").touch()

    ending, _ = run(tmp_path, "-c", program + wait)

    assert (ending.reason, ending.exit_code) == (EndingReason.EXITED, 0)
    assert len(ids(tmp_path)) == 2
    assert none_lives(tmp_path)


def test_a_process_that_ignores_sigterm_is_killed_after_the_grace(tmp_path: Path) -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"

    ending, _ = run(tmp_path, "-u", "-c", program, timeout_seconds=0.7)

    assert ending.reason is EndingReason.TIMED_OUT
    assert ending.exit_code == 128 + signal.SIGKILL
    assert 3 < ending.seconds < 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_survives_the_death_of_the_parent(tmp_path: Path, family: Path, number: signal.Signals) -> None:
    parent = textwrap.dedent(f"""
        import os, sys, threading
        from pathlib import Path
        from tasks.supervised_process import run_supervised
        run_supervised([sys.executable, {str(family)!r}, "2"], folder=Path({str(tmp_path)!r}), environment=os.environ,
                       timeout_seconds=None, cancelled=threading.Event(), on_line=print)
    """)
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=Path(__file__).parents[3])
    assert wait_for(lambda: len(ids(tmp_path)) == 3)

    process.send_signal(number)
    process.wait(5)

    assert wait_for(lambda: none_lives(tmp_path), seconds=5)


def test_the_command_dies_with_its_supervisor(tmp_path: Path) -> None:
    ending = run_supervised(
        [sys.executable, "-u", "-c", "import os, time; print(os.getppid()); time.sleep(60)"],
        folder=tmp_path,
        environment=dict(os.environ),
        timeout_seconds=30,
        cancelled=threading.Event(),
        on_line=lambda line: os.kill(int(line), signal.SIGKILL),
    )

    assert ending.reason is EndingReason.EXITED
    assert ending.seconds < 10
