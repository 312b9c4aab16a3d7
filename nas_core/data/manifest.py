"""A manifest of a finished folder: size and SHA-256 of each file, so that a reader notices damage."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from nas_core.atomic_files import is_temporary, write_json

FILE_NAME = "manifest.json"
FORMAT = 1


def write(folder: Path) -> None:
    """Write `manifest.json` into `folder`, listing every other file in it and below it but temporary ones.

    Its form is `{"format": 1, "files": {"name": {"sha256": ..., "bytes": n}}}`, names relative to the folder with "/".

    Raises:
        OSError: a file cannot be read, or the manifest not written.
    """
    paths = sorted(
        path for path in folder.rglob("*") if path.is_file() and path != folder / FILE_NAME and not is_temporary(path)
    )
    files = {
        path.relative_to(folder).as_posix(): {"sha256": _sha256(path), "bytes": path.stat().st_size} for path in paths
    }
    write_json(folder / FILE_NAME, {"format": FORMAT, "files": files})


def verify(folder: Path) -> None:
    """Check each file that the manifest of `folder` lists; files that it does not list are not looked at.

    Raises:
        FileNotFoundError: the manifest or a listed file is missing.
        ValueError: a file or the manifest itself is damaged; the one-line error names it and says what to do.
    """
    remedy = f"restore {folder}, or run the stage that writes it again"
    manifest = folder / FILE_NAME
    if not manifest.is_file():
        raise FileNotFoundError(f"{manifest} is missing, so that {folder} is not known to be complete; {remedy}")
    for name, (digest, num_bytes) in sorted(_listed(manifest, remedy).items()):
        path = folder / name
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; {remedy}")
        if path.stat().st_size != num_bytes:
            raise ValueError(f"{path} is damaged: {path.stat().st_size} bytes, {num_bytes} were written; {remedy}")
        if _sha256(path) != digest:
            raise ValueError(f"{path} is damaged: its SHA-256 is not the one written; {remedy}")


def _listed(manifest: Path, remedy: str) -> dict[str, tuple[str, int]]:
    """Return the SHA-256 and the number of bytes by file name."""
    try:
        content = json.loads(manifest.read_bytes())
        version, files = content["format"], content["files"]
        listed = {name: (str(entry["sha256"]), int(entry["bytes"])) for name, entry in files.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{manifest} is damaged ({type(error).__name__}: {error}); {remedy}") from error
    if version != FORMAT:
        raise ValueError(f"{manifest} has format {version}, this version reads format {FORMAT}; {remedy}")
    for name in listed:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise ValueError(f"{manifest} lists {name!r}, which lies outside its folder; {remedy}")
    return listed


def _sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
