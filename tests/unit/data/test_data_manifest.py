"""A manifest notices every damage of the files it lists."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from nas_core.data import manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "search"
    (made / "deep").mkdir(parents=True)
    (made / "a.txt").write_text("one")
    (made / "deep" / "b.txt").write_text("two")
    manifest.write(made)
    return made


def test_it_lists_size_and_checksum_of_every_file(folder: Path) -> None:
    (folder / ".a.txt.1-2.tmp").write_text("left by a killed process")
    manifest.write(folder)
    assert json.loads((folder / "manifest.json").read_text()) == {
        "format": 1,
        "files": {
            "a.txt": {"sha256": hashlib.sha256(b"one").hexdigest(), "bytes": 3},
            "deep/b.txt": {"sha256": hashlib.sha256(b"two").hexdigest(), "bytes": 3},
        },
    }


def test_a_whole_folder_passes_wherever_it_lies(folder: Path) -> None:
    manifest.verify(folder)
    moved = folder.rename(folder.with_name("moved"))
    (moved / "stranger.txt").write_text("not listed")
    manifest.verify(moved)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"onE", r"a\.txt is damaged: its SHA-256"),
        ("a.txt", b"on", r"a\.txt is damaged: 2 bytes, 3 were written"),
        ("deep/b.txt", b"", r"b\.txt is damaged"),
        ("manifest.json", b"", r"manifest\.json is damaged"),
        ("manifest.json", b"[]", r"manifest\.json is damaged"),
        ("manifest.json", b'{"format": 1, "files": {"a.txt": 3}}', r"manifest\.json is damaged"),
        ("manifest.json", b'{"format": 2, "files": {}}', "has format 2, this version reads format 1"),
        (
            "manifest.json",
            b'{"format": 1, "files": {"../a.txt": {"sha256": "", "bytes": 0}}}',
            "lies outside its folder",
        ),
    ],
)
def test_damage_is_one_line_that_says_what_to_do(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        manifest.verify(folder)
    assert "run the stage that writes it again" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.txt", "deep/b.txt", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} is missing"):
        manifest.verify(folder)
