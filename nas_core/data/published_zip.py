"""Bring the folder in a published zip archive to its place below the user's folder."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path

from nas_core.atomic_files import replace_folder
from nas_core.data.download import PublishedFile, fetch
from nas_core.data.progress import Progress


def unzipped(
    archive: PublishedFile, folder_name: str, final: Path, *, download: bool, progress: Progress | None
) -> Path:
    """Return `final`, filling it with the archive's folder (fetched if need be) where it is absent.

    The CRC-32 that a zip archive states for each file is checked.

    Args:
        archive: a zip file whose members all lie in `folder_name`.
        folder_name: the one folder in the archive.
        final: where its content goes; the archive goes beside it.
        download: whether the network may be used.
        progress: as for `nas_core.data.download.fetch`.

    Raises:
        ValueError: the archive is damaged, or holds something beside that folder.
        FileNotFoundError, ConnectionError, OSError: as `nas_core.data.download.fetch`.
    """
    if final.is_dir():
        return final
    path = fetch(archive, final.parent, download=download, progress=progress)
    scratch = Path(tempfile.mkdtemp(dir=final.parent, prefix=f".{final.name}."))
    try:
        _unzip(path, folder_name, scratch)
        finished = final.parent / f"{scratch.name}.finished"
        (scratch / folder_name).rename(finished)
        replace_folder(finished, final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return final


def _unzip(path: Path, folder_name: str, scratch: Path) -> None:
    """Unpack the files of the archive at `path`, all of which must lie in `folder_name`."""
    remedy = f"delete {path} and run again to fetch it anew"
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                parts = Path(name).parts
                if parts[:1] != (folder_name,) or ".." in parts:
                    raise ValueError(f"{path} holds {name!r}, not a file in {folder_name}; {remedy}")
            # a member that says that it is a link becomes a plain file here
            archive.extractall(scratch)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} cannot be unpacked ({error}); {remedy}") from error
    if not (scratch / folder_name).is_dir():
        raise ValueError(f"{path} holds no folder {folder_name}; {remedy}")
