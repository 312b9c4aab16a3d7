"""What the tables of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635) hold, the whole benchmark's or a part's.

Columns, with a row for each cell: ``decisions`` (n, 26), the adjacency bits above the diagonal of 7 vertices, column by
column, and the operations of the inner vertices, cells of fewer vertices being padded before the output;
``num_vertices`` (n,), ``module_hash`` (n, 2), the published hash as two numbers, ``num_parameters`` (n,), and by length
of the training ``validation_accuracy_108_epochs`` (n, num_runs) from 0 to 1; where they are known, also
``test_accuracy_108_epochs`` and ``training_seconds_108_epochs`` likewise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data import benchmark_table, csv_columns
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.networks.vertex_cell import VertexCell

BENCHMARK = "nasbench101"
EPOCHS = (4, 12, 36, 108)
"""Lengths of the trainings that the benchmark measured, each with a schedule of its own."""

MAX_VERTICES = 7
NUM_OPERATIONS = 3
NUM_EDGES = MAX_VERTICES * (MAX_VERTICES - 1) // 2
NUM_DECISIONS = NUM_EDGES + MAX_VERTICES - 2
NUM_DECIMALS = 6
"""To which accuracies are published; they are kept as float32."""

COLUMNS = (
    "module_hash",
    "adj_upper_colmajor",
    "ops",
    "params",
    "train_time_s",
    *(f"val_{epochs}ep" for epochs in EPOCHS),
)
WHAT = "a table of NAS-Bench-101"


@dataclass(frozen=True, slots=True)
class TableRow:
    """What a table says of one cell, its trainings left out.

    Attributes:
        cell: as the table writes it.
        module_hash: the published hash of its class.
        num_parameters: of the benchmark's network.
    """

    cell: VertexCell
    module_hash: str
    num_parameters: int


def accuracy_column(split: str, epochs: int) -> str:
    """Return the name of a column of accuracies."""
    return f"{split}_accuracy_{epochs}_epochs"


def seconds_column(epochs: int) -> str:
    """Return the name of the column of training times."""
    return f"training_seconds_{epochs}_epochs"


def load(path: Path) -> BenchmarkTable:
    """Return a table out of its compact file, or of a CSV file, gzipped or not, with at least `COLUMNS`.

    In a CSV file ``adj_upper_colmajor`` holds the bits of the strict upper triangle of the adjacency matrix, column by
    column, and ``ops`` a digit for each inner vertex: 0 conv3x3-bn-relu, 1 conv1x1-bn-relu, 2 maxpool3x3. The training
    time is that of the longest training.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, empty or of another kind, or has a cell twice.
    """
    if benchmark_table.is_table(path):
        table = benchmark_table.read(path, BENCHMARK)
        check(table, path)
        return table
    file = csv_columns.read(path, WHAT)
    rows, runs = [], []
    for line, row in enumerate(file.selected(COLUMNS), start=2):
        try:
            made, measured = _row(*row)
        except ValueError as error:
            raise file.error(line, error) from None
        rows.append(made)
        runs.append(measured)
    num_cells = len({row.module_hash for row in rows})
    if not num_cells or num_cells < len(rows):
        raise ValueError(
            f"{path} has {len(rows)} rows for {num_cells} cells; a table has some, each once; {csv_columns.REMEDY}"
        )
    columns = np.array(runs, np.float32)[:, :, None]
    names = (*(accuracy_column("validation", epochs) for epochs in EPOCHS), seconds_column(EPOCHS[-1]))
    table = as_table(rows, {name: columns[:, place] for place, name in enumerate(names)}, path.name)
    check(table, path)
    return table


def read(path: Path) -> list[TableRow]:
    """Return the cells of a file, in its order; see `load`, which says what is raised."""
    columns = load(path).columns
    decisions, sizes = columns["decisions"].tolist(), columns["num_vertices"].tolist()
    hashes = columns["module_hash"].astype(">u8").tobytes().hex()
    return [
        TableRow(_narrowed(row, num_vertices), hashes[32 * place : 32 * place + 32], num_parameters)
        for place, (row, num_vertices, num_parameters) in enumerate(
            zip(decisions, sizes, columns["num_parameters"].tolist(), strict=True)
        )
    ]


def as_table(rows: Sequence[TableRow], runs: Mapping[str, NDArray[np.float32]], version: str) -> BenchmarkTable:
    """Return the table of cells.

    Args:
        rows: at least one.
        runs: what each run of each cell reached, (num_cells, num_runs), by the names of columns.
        version: of the file that they are from.
    """
    widened = [row.cell.widened(MAX_VERTICES) for row in rows]
    hashes = np.frombuffer(bytes.fromhex("".join(row.module_hash for row in rows)), ">u8").reshape(len(rows), 2)
    columns: dict[str, NDArray[Any]] = {
        "decisions": np.array([(*cell.bits(), *cell.operations) for cell in widened], np.uint8),
        "num_vertices": np.array([row.cell.num_vertices for row in rows], np.uint8),
        "module_hash": hashes.astype(np.uint64),
        "num_parameters": np.array([row.num_parameters for row in rows], np.int32),
        **runs,
    }
    return BenchmarkTable(BENCHMARK, columns, f"{version}, of NAS-Bench-101 (arXiv:1902.09635)", "Apache-2.0", version)


def lengths(table: BenchmarkTable) -> tuple[int, ...]:
    """Return after how many epochs a table has validation accuracies."""
    return tuple(epochs for epochs in EPOCHS if accuracy_column("validation", epochs) in table.columns)


def check(table: BenchmarkTable, path: Path) -> None:
    """Raise a ValueError if the shape of a table is another, or its validation accuracies cannot be measured ones."""
    names = ("decisions", "num_vertices", "module_hash", "num_parameters")
    decisions, sizes, hashes, parameters = table.selected(names, path)
    num_cells = len(decisions)
    shapes = (decisions.shape, sizes.shape, hashes.shape, parameters.shape)
    measured = [column for name, column in table.columns.items() if name not in names]
    problem = ""
    if shapes != ((num_cells, NUM_DECISIONS), (num_cells,), (num_cells, 2), (num_cells,)):
        problem = f"{', '.join(names)} are {shapes}, not so many numbers a cell"
    elif hashes.dtype != np.uint64 or not lengths(table):
        problem = "module_hash is not of 64 bits, or there is no validation accuracy"
    elif any(column.dtype != np.float32 or column.shape[:-1] != (num_cells,) for column in measured):
        problem = "a column is not a number for each run of each cell"
    for epochs in lengths(table):
        column = table.columns[accuracy_column("validation", epochs)]
        if not problem and not (column.min() >= 0 and column.max() <= 1):
            problem = f"a validation accuracy after {epochs} epochs is not from 0 to 1"
    if problem:
        raise ValueError(f"{path}: {problem}; {benchmark_table.REMEDY}")


def _row(
    module_hash: str, bits: str, operations: str, parameters: str, seconds: str, *accuracies: str
) -> tuple[TableRow, list[float]]:
    """Return the cell of a line, and its accuracies by epochs with the training time behind them."""
    if not set(bits) <= {"0", "1"} or not set(operations) <= set("012") or len(operations) > MAX_VERTICES - 2:
        raise ValueError(f"{bits!r} with operations {operations!r} is no cell")
    cell = VertexCell.from_bits([int(bit) for bit in bits], [int(digit) for digit in operations])
    measured = [float(accuracy) for accuracy in accuracies]
    if not all(0.0 <= accuracy <= 1.0 for accuracy in measured):
        raise ValueError(f"an accuracy of {accuracies} is not from 0 to 1")
    if not math.isfinite(float(seconds)):
        raise ValueError(f"a training time of {seconds} is not finite")
    return TableRow(cell, checked_hash(module_hash), int(parameters)), [*measured, float(seconds)]


def checked_hash(module_hash: str) -> str:
    """Return a hash if it is one."""
    if len(module_hash) != 32 or not set(module_hash) <= set("0123456789abcdef"):
        raise ValueError(f"{module_hash!r} is no hash of 32 digits")
    return module_hash


def _narrowed(decisions: Sequence[int], num_vertices: int) -> VertexCell:
    """Return the cell of decisions without the vertices with which it was padded."""
    whole = VertexCell.from_bits(decisions[:NUM_EDGES], decisions[NUM_EDGES:])
    return VertexCell((*whole.columns[: num_vertices - 1], whole.columns[-1]), whole.operations[: num_vertices - 2])
