"""Archives are unpacked whole or not at all, and never outside their folder."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nas_core.data.download import PublishedFile
from nas_core.data.published_folder import default_folder, unpacked

ARCHIVE = PublishedFile("http://127.0.0.1:9/set.tar.gz", "0" * 32)


def write_archive(root: Path, *members: tarfile.TarInfo) -> None:
    with tarfile.open(root / "set.tar.gz", "w:gz") as archive:
        for member in members:
            content = b"content" if member.isfile() else b""
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def get(root: Path) -> Path:
    return unpacked(ARCHIVE, "set", root, download=False, progress=None)


def test_an_archive_that_the_user_put_there_is_unpacked_once(tmp_path: Path) -> None:
    write_archive(tmp_path, member("set", tarfile.DIRTYPE), member("set/batch"), member("set/more/batch"))
    assert get(tmp_path) == tmp_path / "set"
    assert (tmp_path / "set" / "batch").read_bytes() == b"content"
    assert (tmp_path / "set" / "more" / "batch").read_bytes() == b"content"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["set", "set.tar.gz"]
    (tmp_path / "set.tar.gz").unlink()
    assert get(tmp_path) == tmp_path / "set"


@pytest.mark.parametrize(
    "bad",
    [
        member("../escaped"),
        member("/escaped"),
        member("set/../../escaped"),
        member("other/batch"),
        member("set/link", tarfile.SYMTYPE, "/etc/passwd"),
        member("set/link", tarfile.LNKTYPE, "../outside"),
        member("set/pipe", tarfile.FIFOTYPE),
    ],
    ids=lambda entry: entry.name,
)
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, bad: tarfile.TarInfo) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write_archive(root, member("set/batch"), bad)
    with pytest.raises(ValueError, match=r"set\.tar\.gz") as caught:
        get(root)
    assert "\n" not in str(caught.value)
    assert sorted(entry.name for entry in root.iterdir()) == ["set.tar.gz"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["root"]


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda content: b"x" * 100, lambda content: b""]
)
def test_a_damaged_archive_is_one_line_and_leaves_nothing(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    write_archive(tmp_path, *[member(f"set/batch_{number}") for number in range(50)])
    path = tmp_path / "set.tar.gz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"set\.tar\.gz cannot be unpacked") as caught:
        get(tmp_path)
    assert "\n" not in str(caught.value)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["set.tar.gz"]


def test_an_archive_without_the_folder_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path)
    with pytest.raises(ValueError, match="holds no folder set"):
        get(tmp_path)


def test_an_absent_set_names_the_address_and_the_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=rf"{ARCHIVE.url} elsewhere and put it into {tmp_path}$"):
        get(tmp_path)


def test_the_default_folder_is_the_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "nasflow"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "nasflow"
