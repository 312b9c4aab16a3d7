"""Reads chosen columns of a CSV file, gzipped or not."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

REMEDY = "take the file from its source again"


@dataclass(frozen=True)
class CSVFile:
    """The lines of a CSV file.

    Attributes:
        path: of the file, for messages.
        what: the file should be, as "the accuracy table of NAS-Bench-201".
        header: names of the columns; empty if the file is.
        rows: the fields of every further line, as many as it has.
    """

    path: Path
    what: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def selected(self, columns: Sequence[str]) -> list[tuple[str, ...]]:
        """Return at least two columns, row by row.

        Raises:
            ValueError: the header lacks a column, or a line is too short.
        """
        missing = [column for column in columns if column not in self.header]
        if missing:
            raise ValueError(f"{self.path} lacks the columns {', '.join(missing)}; give {self.what}")
        chosen = itemgetter(*map(self.header.index, columns))
        found = []
        for number, row in enumerate(self.rows, start=2):
            try:
                found.append(chosen(row))
            except IndexError:
                raise self.error(number, f"it has {len(row)} fields, not {len(self.header)}") from None
        return found

    def error(self, line: int, reason: object) -> ValueError:
        """Return the error to raise about a line, counted from 1."""
        return ValueError(f"{self.path}, line {line}: {reason}; {REMEDY}")


def read(path: Path, what: str) -> CSVFile:
    """Return the lines of a file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; give the path of {what}") from None
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder; give the path of {what}") from None
    try:
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()
        lines = list(map(tuple, csv.reader(text.splitlines())))
    except (EOFError, OSError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged ({error}); {REMEDY}") from None
    return CSVFile(path, what, lines[0] if lines else (), tuple(lines[1:]))
