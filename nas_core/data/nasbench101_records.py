"""Reads the files in which NAS-Bench-101 is published (Ying et al. 2019, arXiv:1902.09635), without TensorFlow.

``nasbench_only108.tfrecord`` and ``nasbench_full.tfrecord`` hold a record a training: a JSON list of the cell's hash,
the epochs, the adjacency matrix row by row, the operations, and the measurements as Protocol Buffers in base 64.
"""

from __future__ import annotations

import base64
import json
import math
from array import array
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from nas_core.data import protocol_buffers, tfrecord
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.data.nasbench101_table import (
    EPOCHS,
    MAX_VERTICES,
    TableRow,
    accuracy_column,
    as_table,
    check,
    checked_hash,
    seconds_column,
)
from nas_core.networks.vertex_cell import VertexCell

SUFFIX = ".tfrecord"
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
NUM_EVALUATIONS = 3
"""Of each training: at its start, halfway, and at its end, which is the one that counts."""

EVALUATION_FIELD, PARAMETERS_FIELD = 1, 2
FIELDS: Mapping[str, int] = MappingProxyType({"training_time": 2, "validation_accuracy": 4, "test_accuracy": 5})
"""Numbers of fields of an evaluation, all doubles (``nasbench/lib/model_metrics.proto`` of the authors' code)."""


def is_archive(path: Path) -> bool:
    """Return whether a path is that of an official file."""
    return path.suffix == SUFFIX


def read(path: Path) -> BenchmarkTable:
    """Return the table of all cells, with every run of every length.

    Each hash is worked out again from its cell.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another kind, or the cells do not all have as many runs.
    """
    rows: dict[str, int] = {}
    cells: list[TableRow] = []
    runs: dict[int, _Runs] = {}
    for number, record in enumerate(tfrecord.records(path)):
        try:
            module_hash, epochs, adjacency, operations, metrics = json.loads(record)
            num_parameters, reached = _metrics(base64.b64decode(metrics, validate=True))
            if module_hash not in rows:
                rows[module_hash] = len(cells)
                cells.append(_cell(module_hash, adjacency, operations, num_parameters))
            if epochs not in EPOCHS:
                raise ValueError(f"a training of {epochs} epochs; allowed: {', '.join(map(str, EPOCHS))}")
            runs.setdefault(epochs, _Runs()).add(rows[module_hash], reached)
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise ValueError(f"{path}, record {number}: {error}; {tfrecord.REMEDY}") from None
    if not cells:
        raise ValueError(f"{path} holds no records; {tfrecord.REMEDY}")
    columns = {}
    for epochs in sorted(runs):
        found = runs[epochs].columns(len(cells))
        if found is None:
            raise ValueError(f"{path}: the cells do not all have as many runs of {epochs} epochs; {tfrecord.REMEDY}")
        columns[accuracy_column("validation", epochs)] = found["validation_accuracy"]
        columns[accuracy_column("test", epochs)] = found["test_accuracy"]
        columns[seconds_column(epochs)] = found["training_time"]
    table = as_table(cells, columns, path.name)
    check(table, path)
    return table


class _Runs:
    """What the trainings of one length reached, in the order of the file."""

    def __init__(self) -> None:
        self._rows = array("i")
        self._values = {name: array("f") for name in FIELDS}

    def add(self, row: int, reached: Mapping[str, float]) -> None:
        """Add a training of the cell in a row."""
        for name, value in reached.items():
            if not 0 <= value <= (math.inf if name == "training_time" else 1) or math.isinf(value):
                raise ValueError(f"{name} is {value}")
            self._values[name].append(value)
        self._rows.append(row)

    def columns(self, num_cells: int) -> dict[str, NDArray[np.float32]] | None:
        """Return arrays (num_cells, num_runs) by the names of fields; None if some cell has more runs than another."""
        rows = np.frombuffer(self._rows, np.int32)
        counts = np.bincount(rows, minlength=num_cells)
        if counts.min() != counts.max():
            return None
        order = np.argsort(rows, kind="stable")
        return {
            name: np.frombuffer(values, np.float32)[order].reshape(num_cells, -1)
            for name, values in self._values.items()
        }


def _cell(module_hash: str, adjacency: str, operations: str, num_parameters: int) -> TableRow:
    """Return the cell of an adjacency matrix, row by row, and of the names of its operations."""
    names = operations.split(",")
    size = len(names)
    if not 2 <= size <= MAX_VERTICES or len(adjacency) != size * size or not set(adjacency) <= {"0", "1"}:
        raise ValueError(f"{adjacency!r} with operations {operations!r} is no cell")
    matrix = [[int(bit) for bit in adjacency[size * row : size * row + size]] for row in range(size)]
    bits = [matrix[source][target] for target in range(size) for source in range(target)]
    inner = names[1:-1]
    if (names[0], names[-1]) != ("input", "output") or not set(inner) <= {*OPERATIONS}:
        raise ValueError(f"operations {operations!r}; allowed between input and output: {', '.join(OPERATIONS)}")
    if sum(bits) != adjacency.count("1"):
        raise ValueError(f"{adjacency!r} has an edge that leads back")
    cell = VertexCell.from_bits(bits, [OPERATIONS.index(name) for name in inner])
    if cell.module_hash() != checked_hash(module_hash):
        raise ValueError(f"{adjacency!r} with operations {operations!r} does not have the hash {module_hash}")
    return TableRow(cell, module_hash, num_parameters)


def _metrics(content: bytes) -> tuple[int, dict[str, float]]:
    """Return the number of parameters, and what the network had reached at the end of its training."""
    evaluations, num_parameters = [], 0
    for number, value in protocol_buffers.fields(content):
        if number == EVALUATION_FIELD and isinstance(value, bytes):
            evaluations.append(value)
        elif number == PARAMETERS_FIELD and isinstance(value, int):
            num_parameters = value
    if len(evaluations) != NUM_EVALUATIONS or num_parameters < 1:
        raise ValueError(f"its measurements are {len(evaluations)} evaluations of {num_parameters} parameters")
    last = dict(protocol_buffers.fields(evaluations[-1]))
    missing = [name for name, number in FIELDS.items() if number not in last]
    if missing:
        raise ValueError(f"its last evaluation has no {', '.join(missing)}")
    return num_parameters, {name: protocol_buffers.as_double(last[number]) for name, number in FIELDS.items()}
