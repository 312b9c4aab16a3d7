"""Atomic writing: old or new, never a part, and no temporary left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nas_core.atomic_files import is_temporary, replace_folder, write_bytes, write_json, write_text


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_content_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_bytes(path, b"old")
    write_text(path, "naïve")
    assert path.read_bytes() == "naïve".encode()
    assert names(path.parent) == ["file"]


def test_json_is_sorted_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1], "a": "é"})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": "é",\n  "b": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [{"loss": float("-inf")}]])
def test_json_refuses_what_it_has_no_word_for_and_keeps_the_old_file(tmp_path: Path, value: object) -> None:
    path = tmp_path / "metrics.json"
    write_json(path, {"loss": 1})
    with pytest.raises(ValueError, match=r"metrics\.json cannot be written as JSON"):
        write_json(path, value)
    assert json.loads(path.read_text()) == {"loss": 1}
    assert names(tmp_path) == ["metrics.json"]


def run_limited(program: str, *values: object) -> subprocess.CompletedProcess[str]:
    """Run `program` where no file may grow beyond 4096 bytes, as on a disk that fills up."""
    limit = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
    return subprocess.run(
        [sys.executable, "-c", limit + program, *map(str, values)], capture_output=True, text=True, check=False
    )


def test_a_disk_that_fills_up_is_an_os_error_and_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_bytes(path, b"old")
    program = (
        "import sys; from pathlib import Path; from nas_core.atomic_files import write_bytes\n"
        "try: write_bytes(Path(sys.argv[1]), bytes(100_000))\nexcept OSError as error: print(type(error).__name__)"
    )
    done = run_limited(program, path)
    assert done.stdout.strip() == "OSError", done.stderr
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_what_a_killed_writer_leaves_is_recognized(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from nas_core.atomic_files import write_bytes\n"
        "os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_bytes(Path(sys.argv[1]), b'new')"
    )
    path = tmp_path / "file"
    write_bytes(path, b"old")
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert [is_temporary(entry) for entry in sorted(tmp_path.iterdir())] == [True, False]


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    made = tmp_path / "new"
    (made / "deep").mkdir(parents=True)
    (made / "deep" / "file").write_text("new")
    return made


@pytest.fixture
def final(tmp_path: Path) -> Path:
    made = tmp_path / "final"
    made.mkdir()
    (made / "old").write_text("old")
    return made


def test_a_folder_takes_an_empty_place(finished: Path) -> None:
    final = finished.with_name("final")
    replace_folder(finished, final)
    assert (final / "deep" / "file").read_text() == "new"
    assert names(final.parent) == ["final"]


def test_a_folder_takes_the_place_of_an_old_one(finished: Path, final: Path) -> None:
    replace_folder(finished, final)
    assert names(final) == ["deep"]
    assert names(final.parent) == ["final"]


def test_a_folder_set_aside_by_a_killed_process_is_not_lost(finished: Path, final: Path) -> None:
    final.rename(final.with_name(".final.old"))
    with pytest.raises(NotADirectoryError):
        replace_folder(final.with_name("absent"), final)
    replace_folder(finished, final)
    assert names(final) == ["deep"]
    assert names(final.parent) == ["final"]


def test_where_the_new_folder_cannot_move_the_old_one_is_put_back(
    finished: Path, final: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == finished:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OSError, match="No space left"):
        replace_folder(finished, final)
    assert names(final) == ["old"]
    assert names(final.parent) == ["final", "new"]


def test_folders_of_different_parents_are_refused(finished: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not beside"):
        replace_folder(finished, tmp_path / "elsewhere" / "final")


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write_text(tmp_path / "atomic", "")
    assert os.stat(tmp_path / "atomic").st_mode == os.stat(tmp_path / "plain").st_mode
