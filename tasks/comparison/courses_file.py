"""The finished repetitions of a contest on disk, so that none is done twice."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nas_core.atomic_files import sync_folder, write_bytes
from nas_core.quarantine import quarantine
from tasks.comparison.course import Course, from_json

CHECKSUM = ', "crc32": '


class CoursesFile:
    """JSON lines, one a course, each with a CRC-32; what was added is on disk before `add` returns.

    A line that a kill has torn off is cut when the file is opened. A damaged line before the last is set aside with the
    whole file, and its repetition is done again.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; the file is made with the first addition."""
        self.path = path
        self._courses: dict[int, Course] = {}
        content = path.read_bytes() if path.exists() else b""
        lines = content.splitlines(keepends=True)
        whole = [(line, course) for line in lines if (course := _opened(line)) is not None]
        self._courses = {course.seed: course for _, course in whole}
        if len(whole) < len(lines):
            is_torn = len(whole) == len(lines) - 1 and not content.endswith(b"\n")
            if not is_torn:
                quarantine(path, content)
            write_bytes(path, b"".join(line for line, _ in whole))

    @property
    def courses(self) -> dict[int, Course]:
        """The courses by seed, in the order of the seeds."""
        return dict(sorted(self._courses.items()))

    def add(self, courses: Sequence[Course]) -> None:
        """Add courses at the end of the file.

        Raises:
            OSError: the file system refused (a full disk, say); a line that is torn by that is cut off when the file is
                opened again.
        """
        is_new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as stream:
            stream.write(b"".join(_sealed(course.to_json()) for course in courses))
            stream.flush()
            os.fsync(stream.fileno())
        if is_new:
            sync_folder(self.path.parent)
        self._courses.update({course.seed: course for course in courses})


def _sealed(value: dict[str, Any]) -> bytes:
    body = json.dumps(value, allow_nan=False)[:-1]
    return f"{body}{CHECKSUM}{zlib.crc32(body.encode())}}}\n".encode()


def _opened(line: bytes) -> Course | None:
    """Return the course of a line, or None if it is torn or altered."""
    body, separator, checksum = line.rpartition(CHECKSUM.encode())
    if not separator or checksum != f"{zlib.crc32(body)}}}\n".encode():
        return None
    return from_json(json.loads(body + b"}"))
