"""Zip archives are unpacked whole or not at all, and never outside their folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from nas_core.data.download import PublishedFile
from nas_core.data.published_zip import unzipped

ARCHIVE = PublishedFile("http://127.0.0.1:9/set.zip", None)


def write_archive(root: Path, *names: str) -> Path:
    with zipfile.ZipFile(root / "set.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"content of the file")
    return root / "set.zip"


def get(root: Path) -> Path:
    return unzipped(ARCHIVE, "set", root / "raw", download=False, progress=None)


def test_an_archive_that_the_user_put_there_is_unpacked_once(tmp_path: Path) -> None:
    write_archive(tmp_path, "set/one.txt", "set/more/two.txt")
    assert get(tmp_path) == tmp_path / "raw"
    assert (tmp_path / "raw/more/two.txt").read_bytes() == b"content of the file"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["raw", "set.zip"]
    (tmp_path / "set.zip").unlink()
    assert get(tmp_path) == tmp_path / "raw"


@pytest.mark.parametrize("bad", ["../escaped", "/escaped", "set/../../escaped", "other/file"])
def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path, bad: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write_archive(root, "set/fine", bad)
    with pytest.raises(ValueError, match="not a file in set"):
        get(root)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["root", "set.zip"]


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    path = write_archive(tmp_path, "set/one.txt")
    content = path.read_bytes()
    for damaged in (content[:40], content.replace(b"content of", b"altered of"), b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="cannot be unpacked") as caught:
            get(tmp_path)
        assert "\n" not in str(caught.value)
        assert [entry.name for entry in tmp_path.iterdir()] == ["set.zip"]
    write_archive(tmp_path)
    with pytest.raises(ValueError, match="holds no folder set"):
        get(tmp_path)
