"""Reads a table of NAS-Bench-101 cells (Ying et al. 2019, arXiv:1902.09635), the whole benchmark's or a part's."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nas_core.networks.vertex_cell import VertexCell

EPOCHS = (4, 12, 36, 108)
"""Lengths of the trainings that the benchmark measured, each with a schedule of its own."""

MAX_VERTICES = 7
NUM_OPERATIONS = 3
COLUMNS = (
    "module_hash",
    "adj_upper_colmajor",
    "ops",
    "params",
    "train_time_s",
    *(f"val_{epochs}ep" for epochs in EPOCHS),
)


@dataclass(frozen=True, slots=True)
class TableRow:
    """What a table says of one cell.

    Attributes:
        cell: as the table writes it.
        module_hash: the published hash of its class.
        num_parameters: of the benchmark's network.
        training_seconds: of the longest training.
        validation_accuracies: of one run, from 0 to 1, by epochs.
    """

    cell: VertexCell
    module_hash: str
    num_parameters: int
    training_seconds: float
    validation_accuracies: Mapping[int, float]


def read(path: Path) -> list[TableRow]:
    """Return the rows of a CSV file, gzipped or not, that has at least the columns in `COLUMNS`.

    ``adj_upper_colmajor`` holds the bits of the strict upper triangle of the adjacency matrix, column by column, and
    ``ops`` a digit for each inner vertex: 0 conv3x3-bn-relu, 1 conv1x1-bn-relu, 2 maxpool3x3.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, empty or of another kind, or has a cell twice.
    """
    rows = _rows(path)
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise ValueError(f"{path} lacks the columns {', '.join(missing)}; give a table of NAS-Bench-101")
    places = [rows[0].index(column) for column in COLUMNS]
    found = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            found.append(_row(*(row[place] for place in places)))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {number}: {error}; take the file from its source again") from None
    num_cells = len({row.module_hash for row in found})
    if not num_cells or num_cells < len(found):
        raise ValueError(
            f"{path} has {len(found)} rows for {num_cells} cells; a table has some, each once; "
            "take the file from its source again"
        )
    return found


def _row(module_hash: str, bits: str, operations: str, parameters: str, seconds: str, *accuracies: str) -> TableRow:
    if not set(bits) <= {"0", "1"} or not set(operations) <= set("012") or len(operations) > MAX_VERTICES - 2:
        raise ValueError(f"{bits!r} with operations {operations!r} is no cell")
    cell = VertexCell.from_bits([int(bit) for bit in bits], [int(digit) for digit in operations])
    measured = [float(accuracy) for accuracy in accuracies]
    if not all(math.isfinite(accuracy) and 0.0 <= accuracy <= 1.0 for accuracy in measured):
        raise ValueError(f"an accuracy of {accuracies} is not from 0 to 1")
    if not math.isfinite(float(seconds)):
        raise ValueError(f"a training time of {seconds} is not finite")
    return TableRow(cell, module_hash, int(parameters), float(seconds), dict(zip(EPOCHS, measured, strict=True)))


def _rows(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file, gzipped or not."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; give the path of a table of NAS-Bench-101") from None
    try:
        text = (gzip.decompress(content) if content.startswith(b"\x1f\x8b") else content).decode()
        return list(csv.reader(text.splitlines()))
    except (EOFError, OSError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is damaged ({error}); take the file from its source again") from None
