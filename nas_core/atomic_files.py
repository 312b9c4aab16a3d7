"""Write files and folders so that a reader sees the old content or the new, never a part of either."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` atomically: temporary file in the same folder, fsync, rename, fsync of the folder.

    Args:
        path: where the file goes; missing parent folders are made.
        content: the whole content.

    Raises:
        OSError: the file system refused (full disk, no permission); the old file is intact and no temporary is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_text(path: Path, content: str) -> None:
    """Write `content` as UTF-8 to `path` atomically; see `write_bytes`."""
    write_bytes(path, content.encode())


def write_json(path: Path, value: object) -> None:
    """Write `value` as JSON to `path` atomically: sorted keys, two spaces of indentation, a newline at the end.

    Args:
        path: where the file goes.
        value: what `json` can write; equal values give equal bytes.

    Raises:
        ValueError: `value` holds NaN or an infinity, which JSON has no word for; record a failure as data instead.
        OSError: as in `write_bytes`.
    """
    try:
        content = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        raise ValueError(f"{path} cannot be written as JSON ({error}); use finite numbers only") from error
    write_text(path, content + "\n")


def replace_folder(temporary: Path, final: Path) -> None:
    """Put the finished folder `temporary` in the place of `final`, whether or not an old folder is there.

    Every file is synced before the rename. The old folder is first set aside as `.NAME.old` in the same parent, because
    no portable call exchanges two folders; a process killed between the two renames leaves it there, and the next call
    puts it back before going on, so that nothing is lost.

    Args:
        temporary: the finished folder, in the same parent as `final`.
        final: where it goes.

    Raises:
        ValueError: the two have different parents, between which a rename need not be atomic.
        NotADirectoryError: `temporary` is not a folder.
        OSError: the file system refused; the old folder is in its place.
    """
    if temporary.resolve().parent != final.resolve().parent:
        raise ValueError(f"{temporary} is not beside {final}; make the temporary folder in {final.parent}")
    if not temporary.is_dir():
        raise NotADirectoryError(f"{temporary} is not a folder; fill a folder first, then put it in place of {final}")
    aside = final.with_name(f".{final.name}.old")
    if aside.exists() and not final.exists():
        aside.rename(final)
    for parent, _, names in os.walk(temporary):
        for name in names:
            _sync_file(Path(parent, name))
        sync_folder(Path(parent))
    if final.exists():
        shutil.rmtree(aside, ignore_errors=True)
        final.rename(aside)
        try:
            temporary.rename(final)
        except OSError:
            aside.rename(final)
            raise
    else:
        temporary.rename(final)
    sync_folder(final.parent)
    shutil.rmtree(aside, ignore_errors=True)


def is_temporary(path: Path) -> bool:
    """Return whether `path` is what a process killed inside `write_bytes` leaves behind."""
    return path.name.startswith(".") and path.suffix == ".tmp"


def sync_folder(folder: Path) -> None:
    """Flush the names in `folder` to the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    """Flush the content of `path` to the disk."""
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
