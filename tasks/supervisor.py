"""Runs one command and ends its whole tree of processes as soon as standard input closes.

A program of its own, started by `tasks.supervised_process`:
`python -I -S supervisor.py GRACE_SECONDS COMMAND...`. Standard input is a pipe whose other end only the parent holds:
it closes when the parent asks for an end and also when the parent dies, by whatever signal. The command gets a session
of its own. On Linux the supervisor adopts orphaned descendants (a "subreaper"), so that a grandchild which left the
session is still found and killed. Only the standard library is imported: it starts in some 20 ms.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

# Numbers of <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
COMMAND_NOT_FOUND = 127


def set_process_option(option: int, value: int) -> None:
    """Calls Linux's prctl; does nothing where there is no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def start(command: list[str]) -> int:
    """Starts the command in a session of its own, with nothing on standard input, and returns its process id."""
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        set_process_option(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"error: cannot start {command[0]}: {error.strerror}\n".encode())
    os._exit(COMMAND_NOT_FOUND)


def descendants(process: int) -> list[int]:
    """Returns the ids of all living processes below this one, as /proc tells them; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name stands in parentheses and may hold spaces; state and parent follow the last parenthesis.
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
        except (OSError, ValueError):
            continue  # it ended while we looked
        if state != "Z":
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found: list[int] = []
    frontier = [process]
    while frontier:
        frontier = [child for parent in frontier for child in children.get(parent, [])]
        found.extend(frontier)
    return found


def reap(command: int) -> int | None:
    """Collects every ended child; returns the exit code of the command if it was among them, else None.

    A command killed by signal N has exit code 128 + N, as in a shell.
    """
    exit_code = None
    while True:
        try:
            process, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exit_code
        if process == 0:
            return exit_code
        if process == command:
            code = os.waitstatus_to_exitcode(status)
            exit_code = code if code >= 0 else 128 - code


def send(number: int, command: int) -> bool:
    """Sends a signal (0: only asks) to the command's group and every descendant; returns whether any is there."""
    found = False
    try:
        os.killpg(command, number)
        found = True
    except (ProcessLookupError, PermissionError):
        pass  # the group is empty: whatever is left has left the group
    for process in descendants(os.getpid()):
        try:
            os.kill(process, number)
            found = True
        except ProcessLookupError:
            continue
    return found


def end_all(command: int, grace_seconds: float) -> int | None:
    """Ends all descendants by SIGTERM, after the grace by SIGKILL; returns the command's exit code if it ended here."""
    exit_code = None
    deadline = time.monotonic() + grace_seconds
    send(signal.SIGTERM, command)
    while True:
        code = reap(command)
        exit_code = exit_code if code is None else code
        if not send(0, command):
            return exit_code
        if time.monotonic() >= deadline:
            send(signal.SIGKILL, command)
        time.sleep(0.02)


def supervise(command: list[str], grace_seconds: float) -> int:
    """Runs the command to its end, or to the end of standard input, and returns its exit code."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    # A handler that does nothing: the number of the signal arrives in the pipe.
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    set_process_option(PR_SET_CHILD_SUBREAPER, 1)
    process = start(command)
    exit_code = None
    asked_to_end = False
    while exit_code is None and not asked_to_end:
        ready, _, _ = select.select([0, woken], [], [])
        asked_to_end = 0 in ready and not os.read(0, 4096)
        if woken in ready:
            asked_to_end = asked_to_end or any(number != signal.SIGCHLD for number in os.read(woken, 4096))
        exit_code = reap(process)
    # Also after a normal end: what the command left behind would go on writing and keep its output open.
    code = end_all(process, grace_seconds)
    final_code = exit_code if exit_code is not None else code
    return 128 + signal.SIGKILL if final_code is None else final_code


if __name__ == "__main__":
    sys.exit(supervise(sys.argv[2:], float(sys.argv[1])))
