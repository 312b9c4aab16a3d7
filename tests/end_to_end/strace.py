"""Runs commands under strace, which kills them at a chosen system call or makes that call fail."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# a question mark: not every processor has all of them
TRACED = "write,fsync,fdatasync,?rename,?renameat,?renameat2,ftruncate"
PROJECT = Path(__file__).parents[2]
KILLED = -9


@dataclass(frozen=True)
class Call:
    """A system call of a process: the `number`-th of its `name`, counted from 1."""

    name: str
    number: int
    text: str = ""


@functools.cache
def why_not() -> str:
    """Return why nothing can be traced here; an empty text if it can."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return "strace is not installed"
    probe = subprocess.run(
        ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=none", "-e", "inject=fsync:error=EIO", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if probe.returncode == 0 else f"strace cannot trace here: {probe.stderr.strip()}"


def environment() -> Mapping[str, str]:
    """Return the environment of a command that sees the project and the toys, and writes nothing beside its work."""
    paths = os.pathsep.join(map(str, (PROJECT, PROJECT / "tests" / "contracts")))
    return {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}


def run(command: Sequence[str], folder: Path, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder to its end; with options, under strace."""
    tracer = ["strace", "-f", "-qq", "-e", f"trace={TRACED}", *options] if options else []
    return subprocess.run(
        [*tracer, *command], cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=120
    )


def calls(command: Sequence[str], folder: Path) -> list[Call]:
    """Run a command to its end and return its calls in order."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as log:
        ended = run(command, folder, ["-o", log.name])
        assert (ended.returncode, ended.stderr) == (0, "")
        lines = log.read().splitlines()
    counts: Counter[str] = Counter()
    found = []
    for line in lines:
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if match is not None:
            counts[match[1]] += 1
            found.append(Call(match[1], counts[match[1]], match[2]))
    return found


def run_killed_at(call: Call, command: Sequence[str], folder: Path) -> None:
    """Run a command that is killed as it enters a call."""
    options = ["-o", os.devnull, "-e", f"inject={call.name}:signal=SIGKILL:when={call.number}"]
    ended = run(command, folder, options)
    assert ended.returncode == KILLED, (call, ended)


def run_failing_at(call: Call, error: str, command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in which a call fails with an error such as ENOSPC, and does nothing."""
    return run(command, folder, ["-o", os.devnull, "-e", f"inject={call.name}:error={error}:when={call.number}"])
