"""A disk that fills up, or that fails: one line, nothing earlier damaged, and the same command completes."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import small_folder
import strace
from strace import Call


@functools.cache
def why_no_small_disk() -> str:
    """Return why no small disk can be mounted here; an empty text if one can."""
    if shutil.which("unshare") is None:
        return "unshare is not installed"
    probe = subprocess.run(
        ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
    )
    return "" if probe.returncode == 0 else f"no disk can be mounted here: {probe.stderr.strip()}"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    """The results on a sound disk."""
    folder = small_folder.new_folder(tmp_path_factory.mktemp("sound"), "whole")
    return small_folder.complete("black_box", folder)


@pytest.mark.skipif(bool(why_no_small_disk()), reason=why_no_small_disk())
@pytest.mark.parametrize("num_pages_left", [0, 1, 2])
def test_a_full_disk_is_one_line_and_once_there_is_room_the_same_command_completes(
    tmp_path: Path, expected: tuple[Any, ...], num_pages_left: int
) -> None:
    folder = small_folder.new_folder(tmp_path, "disk")
    (tmp_path / "params.yaml").write_bytes((folder / "params.yaml").read_bytes())
    # what stands on the disk is gone with the shell, so its results are copied out
    script = f"""
        mount -t tmpfs -o size=256k none disk && cd disk && cp ../params.yaml . || exit 99
        mkdir -p .work/small results && echo earlier > results/earlier && : > .work/small/lock
        head -c {4096 * num_pages_left} /dev/zero > room
        cat /dev/zero > ballast 2> ../ballast.log
        rm room
        "$@" > ../output 2> ../errors; echo $? > ../code
        cat results/earlier > ../earlier
        rm ballast
        "$@" > ../output2 2> ../errors2; echo $? > ../code2
        cp -r results ..
    """
    command = ["unshare", "-rm", "sh", "-c", script, "sh", *small_folder.command("black_box")]
    assert strace.run(command, tmp_path).returncode == 0

    def said(name: str) -> str:
        return (tmp_path / name).read_text()

    assert (said("code"), said("output")) == ("1\n", "")
    assert said("errors").startswith("error: small: [Errno 28] No space left on device")
    assert said("errors").count("\n") == 1
    assert said("earlier") == "earlier\n"
    assert (said("code2"), said("output2"), said("errors2")) == ("0\n", "", "")
    assert small_folder.results(tmp_path) == expected


@pytest.mark.skipif(bool(strace.why_not()), reason=strace.why_not())
@pytest.mark.parametrize(
    ("call", "error"),
    [
        (Call("write", 1), "ENOSPC"),  # the archive's header
        (Call("write", 4), "ENOSPC"),  # a round
        (Call("fdatasync", 3), "EIO"),  # its way to the disk
        (Call("rename", 3), "EIO"),  # the results
    ],
    ids=["header", "round", "sync", "results"],
)
def test_a_failing_disk_is_one_line_and_afterwards_the_same_command_completes(
    tmp_path: Path, expected: tuple[Any, ...], call: Call, error: str
) -> None:
    folder = small_folder.new_folder(tmp_path, "disk")
    ended = strace.run_failing_at(call, error, small_folder.command("black_box"), folder)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith("error: small: [Errno ")
    if call.name in ("write", "fdatasync"):
        assert "earlier rounds are safe: make the disk writable and run the same command again" in ended.stderr
    assert small_folder.complete("black_box", folder) == expected
