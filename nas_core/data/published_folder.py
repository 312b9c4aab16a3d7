"""Find a published data set below the user's folder, or bring it there."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from nas_core.atomic_files import replace_folder
from nas_core.data.download import PublishedFile, fetch
from nas_core.data.progress import Progress


def default_folder() -> Path:
    """Return where data sets go when the user names no folder: `$XDG_CACHE_HOME/nasflow`, else `~/.cache/nasflow`."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(cache) if cache else Path.home() / ".cache") / "nasflow"


def unpacked(
    archive: PublishedFile, folder_name: str, root: Path, *, download: bool, progress: Progress | None
) -> Path:
    """Return `root/folder_name`, unpacking the published archive (fetched if need be) where that is absent.

    Args:
        archive: a tar file, in any compression, whose members all lie in `folder_name`.
        folder_name: the one folder in the archive.
        root: the user's folder.
        download: whether the network may be used.
        progress: as for `nas_core.data.download.fetch`.

    Raises:
        ValueError: the archive is damaged, holds something beside that folder, or has links or special files.
        FileNotFoundError, ConnectionError, OSError: as `nas_core.data.download.fetch`.
    """
    final = root / folder_name
    if final.is_dir():
        return final
    path = fetch(archive, root, download=download, progress=progress)
    scratch = Path(tempfile.mkdtemp(dir=root, prefix=f".{folder_name}."))
    try:
        _unpack(path, folder_name, scratch)
        finished = root / f"{scratch.name}.finished"
        (scratch / folder_name).rename(finished)
        replace_folder(finished, final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return final


def _unpack(path: Path, folder_name: str, scratch: Path) -> None:
    """Unpack the plain files and folders of the archive at `path`, all of which must lie in `folder_name`."""
    remedy = f"delete {path} and run again to fetch it anew"
    try:
        with tarfile.open(path) as archive:
            for member in archive.getmembers():
                parts = Path(member.name).parts
                if not (member.isfile() or member.isdir()) or parts[:1] != (folder_name,) or ".." in parts:
                    raise ValueError(f"{path} holds {member.name!r}, not a plain file in {folder_name}; {remedy}")
            if hasattr(tarfile, "data_filter"):
                archive.extractall(scratch, filter="data")
            else:  # Python before 3.11.4; what the check above lets through is safe without
                archive.extractall(scratch)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"{path} cannot be unpacked ({reason}); {remedy}") from error
    if not (scratch / folder_name).is_dir():
        raise ValueError(f"{path} holds no folder {folder_name}; {remedy}")
