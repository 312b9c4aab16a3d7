"""Fetch one published file: with progress, resuming what is already there, and checked before it gets its name."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from nas_core.data import transfer
from nas_core.data.progress import Progress


@dataclass(frozen=True)
class PublishedFile:
    """A file as its publisher offers it: its address and the MD5 checksum published for it.

    Where a publisher states none, `md5` is None: the file is then as whole as the length that the server states, and
    who reads it finds what else is wrong.
    """

    url: str
    md5: str | None

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url is {self.url!r}; give an http or https address")
        if self.md5 is not None and (len(self.md5) != 32 or set(self.md5) - set("0123456789abcdef")):
            raise ValueError(f"md5 is {self.md5!r}; give 32 lower-case hexadecimal digits, or None")

    @property
    def name(self) -> str:
        """Return the file's name, the last part of its address."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Patience:
    """How long a download keeps trying.

    Attributes:
        num_attempts: attempts in a row that bring nothing new.
        pause_seconds: the wait before the second attempt; later ones wait longer in proportion.
        timeout_seconds: how long the server may be silent.
    """

    num_attempts: int = 4
    pause_seconds: float = 1.0
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        if self.num_attempts < 1 or self.pause_seconds < 0 or self.timeout_seconds <= 0:
            raise ValueError(f"{self} is impossible; give num_attempts >= 1, pause_seconds >= 0, timeout_seconds > 0")


def fetch(
    published: PublishedFile,
    folder: Path,
    *,
    download: bool = True,
    progress: Progress | None = None,
    patience: Patience | None = None,
) -> Path:
    """Return the path of `published` in `folder`, downloading it unless it is there already.

    What has arrived is kept beside it as `NAME.part`; the next attempt, also in a later run, asks for the rest only. A
    complete file with the wrong checksum is kept as `NAME.damaged` for inspection. Two processes may ask for the same
    file: the second waits for the first.

    Args:
        published: address and checksum.
        folder: where the file goes; made if missing.
        download: whether the network may be used.
        progress: called with the file's name, the bytes received and the bytes in all, about four times a megabyte.
        patience: how often and how long to try.

    Returns:
        The path of the complete file.

    Raises:
        FileNotFoundError: the file is absent and `download` is off.
        ConnectionError: the server could not be reached, refused, or broke off again and again.
        ValueError: the complete file does not have the published checksum.
        OSError: the file system refused (a full disk); the partial file stays and the next run continues it.
    """
    destination = folder / published.name
    remedy = f"or get {published.url} elsewhere and put it into {folder}"
    if destination.exists():
        return destination
    if not download:
        raise FileNotFoundError(f"{destination} is absent and downloading is off; switch downloading on, {remedy}")
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{published.name}.part"
    with part.open("ab") as stream:
        _wait_for_others(stream)
        if destination.exists():
            part.unlink(missing_ok=True)
            return destination
        resumed = stream.seek(0, os.SEEK_END) > 0
        _receive_all(published, stream, progress, patience or Patience(), remedy)
        if resumed and published.md5 not in (None, _md5(part)):
            stream.truncate(0)
            _receive_all(published, stream, progress, patience or Patience(), remedy)
        received_md5 = _md5(part)
        if published.md5 not in (None, received_md5):
            damaged = folder / f"{published.name}.damaged"
            part.replace(damaged)
            raise ValueError(
                f"{published.url} gave a file with MD5 {received_md5}, published is {published.md5} (it is kept as "
                f"{damaged}); try again later, {remedy}"
            )
        part.replace(destination)
    return destination


def _receive_all(
    published: PublishedFile, stream: BinaryIO, progress: Progress | None, patience: Patience, remedy: str
) -> None:
    """Append to `stream` until the file is complete, trying again while attempts bring something new."""

    def report(num_received: int, num_total: int | None) -> None:
        if progress is not None:
            progress(published.name, num_received, num_total)

    largest_size = stream.seek(0, os.SEEK_END)
    num_fruitless = 0
    while interruption := transfer.receive(published.url, stream, report, patience.timeout_seconds):
        size = stream.seek(0, os.SEEK_END)
        num_fruitless = 0 if size > largest_size else num_fruitless + 1
        largest_size = max(size, largest_size)
        if interruption.is_final or num_fruitless >= patience.num_attempts:
            raise ConnectionError(
                f"{published.url} was not received ({interruption.reason}; {size} bytes are kept); run again to go on, "
                f"{remedy}"
            )
        time.sleep(patience.pause_seconds * max(1, num_fruitless))


def _wait_for_others(stream: BinaryIO) -> None:
    """Lock the partial file against other processes; the kernel releases the lock of one that dies."""
    import fcntl

    fcntl.flock(stream, fcntl.LOCK_EX)


def _md5(path: Path) -> str:
    """Return the MD5 checksum of a file, as publishers give it; it guards against accidents, not against attackers."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
