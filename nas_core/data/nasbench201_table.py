"""What the tables of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326) hold, and how they are read.

Columns: ``decisions`` (15625, 6), the numbers of the operations on the edges, ``index`` (15625,), the official number,
and by data set, each (15625,), ``DATASET_validation_accuracy_12_epochs``, ``..._200_epochs``,
``DATASET_test_accuracy_12_epochs``, ``..._200_epochs``, from 0 to 1; of a table that was imported from the official
files also ``DATASET_training_seconds_12_epochs``, ``..._200_epochs``. ``DEVICE_latency_ms`` is a measured latency.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data import benchmark_table, csv_columns
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.data.csv_columns import CSVFile

BENCHMARK = "nasbench201"
NUM_CELLS = 15_625
NUM_EDGES, NUM_OPERATIONS = 6, 5
EPOCHS = (12, 200)
SPLITS = ("validation", "test")
DATA_SETS = ("cifar10", "cifar100", "imagenet16_120")
LATENCY = "_latency_ms"
PREFIXES: Mapping[str, str] = MappingProxyType({"cifar10": "c10", "cifar100": "c100"})
"""The data sets of the CSV file, as it calls them."""

CSV_COLUMNS: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        ("validation", 12): "val_12ep",
        ("test", 12): "test_12ep",
        ("validation", 200): "val_200ep",
        ("test", 200): "test_200ep",
    }
)
WHAT = "the accuracy table of NAS-Bench-201"
ACCURACY_DECIMALS, LATENCY_DECIMALS = 7, 5
"""To which accuracies (as parts of 1) and latencies (in ms) are published; they are kept as float32."""

Decisions = tuple[int, ...]


def accuracy_column(data_set: str, split: str, epochs: int) -> str:
    """Return the name of a column of accuracies."""
    return f"{data_set}_{split}_accuracy_{epochs}_epochs"


def devices(table: BenchmarkTable) -> tuple[str, ...]:
    """Return the names of the devices whose latency a table has."""
    return tuple(sorted(name.removesuffix(LATENCY) for name in table.columns if name.endswith(LATENCY)))


def read(path: Path, decisions: Callable[[str], Decisions], data_sets: Sequence[str] = ()) -> BenchmarkTable:
    """Return a table out of its compact file, or of a CSV file, gzipped or not.

    A CSV file has one row for each of the 15,625 cells and at least the columns ``index``, ``arch`` (the official
    string) and, in percent, ``c10_val_12ep``, ``c10_test_12ep``, ``c10_val_200ep``, ``c10_test_200ep`` (``c100_...``
    for CIFAR-100).

    Args:
        path: the file.
        decisions: returns the decisions of an official string, or raises a ValueError.
        data_sets: which a CSV file must have, out of `PREFIXES`; none for all that it has.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind.
    """
    if benchmark_table.is_table(path):
        table = benchmark_table.read(path, BENCHMARK)
        check(table, path)
        return table
    file = csv_columns.read(path, WHAT)
    for data_set in data_sets:
        if data_set not in PREFIXES:
            raise ValueError(
                f"{path} has no {data_set}, which only the benchmark's own files have; import one of those"
            )
    return _from_csv(file, decisions, data_sets or _complete(file))


def with_latencies(table: BenchmarkTable, path: Path) -> BenchmarkTable:
    """Return a table with the latencies of a CSV file, gzipped or not: ``index`` and a column of ms for each device.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind.
    """
    file = csv_columns.read(path, "the latency table of NAS-Bench-201")
    names = [name for name in file.header if name != "index"]
    if "arch" in names or not names:
        raise ValueError(f"{path} is no table of latencies; give one with index and a column for each device")
    found = {}
    for line, (index, *values) in enumerate(file.selected(("index", *names)), start=2):
        try:
            found[int(index)] = list(map(float, values))
            if not all(0 < value < math.inf for value in found[int(index)]):
                raise ValueError(f"a latency of {values} is not above 0")
        except ValueError as error:
            raise file.error(line, error) from None
    if found.keys() != set(range(NUM_CELLS)) or len(file.rows) != NUM_CELLS:
        raise ValueError(f"{path} has {len(file.rows)} rows, of {len(found)} cells; the table has {NUM_CELLS}")
    measured = np.array([found[index] for index in table.columns["index"].tolist()], np.float32)
    latencies = {f"{name}{LATENCY}": measured[:, place] for place, name in enumerate(names)}
    return BenchmarkTable(table.benchmark, {**table.columns, **latencies}, table.source, table.license, table.version)


def check(table: BenchmarkTable, path: Path) -> None:
    """Raise a ValueError unless a table has every cell once, and nothing that no measurement can be."""
    decisions, index = table.selected(("decisions", "index"), path)
    if decisions.shape != (NUM_CELLS, NUM_EDGES) or decisions.dtype.kind != "u" or decisions.max() >= NUM_OPERATIONS:
        problem = f"decisions {decisions.shape} are not those of {NUM_CELLS} cells"
    elif np.unique(decisions @ NUM_OPERATIONS ** np.arange(NUM_EDGES)).size != NUM_CELLS:
        problem = "a cell occurs twice"
    elif (
        index.shape != (NUM_CELLS,)
        or np.unique(index).size != NUM_CELLS
        or {index.min(), index.max()}
        != {
            0,
            NUM_CELLS - 1,
        }
    ):
        problem = "indices are not all official ones, each once"
    else:
        problem = next(filter(None, itertools.starmap(_problem, table.columns.items())), "")
    if problem:
        raise ValueError(f"{path}: {problem}; {benchmark_table.REMEDY}")


def _problem(name: str, column: NDArray[Any]) -> str:
    """Return what is wrong with a column of measurements; nothing if it is none, or nothing is."""
    if name in ("decisions", "index"):
        return ""
    if column.shape != (NUM_CELLS,) or column.dtype != np.float32 or not np.isfinite(column).all():
        return f"{name} is {column.dtype} {column.shape}, not a finite number a cell"
    if "_accuracy_" in name and not (column.min() >= 0 and column.max() <= 1):
        return f"an accuracy in {name} is not from 0 to 1"
    return f"a number in {name} is below 0" if column.min() < 0 else ""


def _complete(file: CSVFile) -> tuple[str, ...]:
    """Return the data sets whose four columns a CSV file has; the first one, which it then lacks, if it has none."""
    complete = (
        name
        for name, prefix in PREFIXES.items()
        if {f"{prefix}_{rest}" for rest in CSV_COLUMNS.values()} <= {*file.header}
    )
    return tuple(complete) or DATA_SETS[:1]


def _from_csv(file: CSVFile, decisions: Callable[[str], Decisions], data_sets: Sequence[str]) -> BenchmarkTable:
    """Return the table of a CSV file, checked line by line."""
    keys = [(data_set, *kind) for data_set in data_sets for kind in CSV_COLUMNS]
    wanted = [f"{PREFIXES[data_set]}_{CSV_COLUMNS[split, epochs]}" for data_set, split, epochs in keys]
    cells: dict[Decisions, None] = {}
    indices, accuracies = [], []
    for line, (index, name, *percents) in enumerate(file.selected(("index", "arch", *wanted)), start=2):
        try:
            indices.append(int(index))
            cells[decisions(name)] = None
            row = [float(percent) / 100.0 for percent in percents]
            if not all(0.0 <= accuracy <= 1.0 for accuracy in row):
                raise ValueError(f"an accuracy of {percents} is not from 0 to 100 percent")
            accuracies.append(row)
        except ValueError as error:
            raise file.error(line, error) from None
    if not len(indices) == len(cells) == NUM_CELLS:
        raise ValueError(
            f"{file.path} has {len(indices)} rows for {len(cells)} cells; the table has {NUM_CELLS}, each once; "
            f"{csv_columns.REMEDY}"
        )
    measured = np.array(accuracies, np.float32)
    columns: dict[str, NDArray[Any]] = {
        "decisions": np.array(list(cells), np.uint8),
        "index": np.array(indices, np.int32),
        **{accuracy_column(*key): measured[:, place] for place, key in enumerate(keys)},
    }
    table = BenchmarkTable(BENCHMARK, columns, f"{file.path.name}, of NAS-Bench-201 (arXiv:2001.00326)", "", "")
    check(table, file.path)
    return table
