"""The tables of NAS-Bench-Graph (Qin et al. 2022, arXiv:2206.09166): all networks of its space, as it measured them."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from nas_core.architecture import Architecture
from nas_core.data import benchmark_table
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.table_evaluator import TableEvaluator

SPACE = "nasbench_graph"
DataSet: TypeAlias = Literal["cora", "citeseer", "pubmed", "cs", "arxiv", "proteins"]
NUM_ARCHITECTURES: Mapping[DataSet, int] = MappingProxyType(
    {"cora": 26_206, "citeseer": 26_206, "pubmed": 26_206, "cs": 26_206, "arxiv": 26_206, "proteins": 2_021}
)
"""Rows of each data set's table."""

OBJECTIVES = ("validation_accuracy", "latency_ms", "num_parameters")
COLUMNS = ("valid_perf", "test_perf", "latency_s", "params")
MEASUREMENTS: Mapping[str, str] = MappingProxyType(
    {"validation_accuracy": "f4", "test_accuracy": "f4", "latency_ms": "f4", "num_parameters": "i4"}
)
"""The columns of a table by data set, and their types."""

MACROS = ("0000", "0001", "0011", "0012", "0013", "0111", "0112", "0122", "0123")
OPERATIONS = ("gat", "gcn", "gin", "cheb", "sage", "arma", "graph", "fc", "identity")
"""What the digits of a hash mean: the first one the tree, the others the operations."""

NUM_DIGITS = 5
LIMITS = (len(MACROS), *[len(OPERATIONS)] * (NUM_DIGITS - 1))


@runtime_checkable
class NamedSpace(HasBenchmarkNames, SearchSpace, Protocol):
    """A space whose members have names, equal for equal canonical forms."""


class NASBenchGraphRows:
    """The rows of a table, those of an architecture being those of its canonical form.

    A search chooses by the validation accuracy, a mean over the benchmark's runs; on proteins accuracies are areas
    under the ROC curve. The test accuracy is no score here: see `report`.
    """

    epochs: Sequence[int] = ()

    def __init__(self, table: BenchmarkTable, space: NamedSpace, objectives: Sequence[str], data_set: DataSet) -> None:
        """Take the rows of a table.

        Args:
            table: checked.
            space: names the canonical forms.
            objectives: names out of `OBJECTIVES`.
            data_set: whose rows to take.
        """
        self.space = SPACE
        self._named = space
        self._objectives = tuple(objectives)
        self._data_set = data_set
        self._digits = table.columns[f"{data_set}_decisions"]
        self._columns = {name: table.columns[f"{data_set}_{name}"] for name in MEASUREMENTS}
        self._places = {digits: place for place, digits in enumerate(map(tuple, self._digits.tolist()))}

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of an architecture's network; None if it is no member, or was not trained."""
        if not self._named.is_valid(architecture):
            return None
        macro, *operations = self._named.to_name(self._named.canonical(architecture)).split("-")
        return self._places.get((MACROS.index(macro), *map(OPERATIONS.index, operations)))

    def architectures(self) -> list[Architecture]:
        """Return the network of each row."""
        return [
            self._named.from_name("-".join((MACROS[macro], *(OPERATIONS[place] for place in places))))
            for macro, *places in self._digits.tolist()
        ]

    def scores(self, row: int, epochs: int | None) -> Mapping[str, float]:
        """Return the scores of a network."""
        return {name: float(self._columns[name][row]) for name in self._objectives}

    def report(self, row: int) -> dict[str, Any]:
        """Return the hash of a network, its accuracies, its latency on the benchmark's machine, and its size."""
        number = int("".join(map(str, self._digits[row])))
        return {"hash": number, **{name: column[row].item() for name, column in self._columns.items()}}

    def absence(self, architecture: Architecture) -> str:
        """Return one line that says that an architecture was not trained on the data set."""
        name = f" ({self._named.to_name(architecture)})" if self._named.is_valid(architecture) else ""
        return f"{architecture.key}{name} is not in the table of {self._data_set}"


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: DataSet = "cora",
) -> TableEvaluator:
    """Return the evaluator that looks networks up in a file of the benchmark.

    The file is a table imported by `read`, or NumPy's npz, which holds for each data set ``NAME_hash`` (rows,),
    integers whose five digits (with leading zeros) are the place in `MACROS` and four places in `OPERATIONS`, and
    ``NAME_table`` (rows, 4), and for all ``columns``: valid_perf, test_perf, latency_s, params (millions).

    The benchmark trained 26,206 networks, but on proteins the 2,021 of gcn, sage, arma, fc and identity alone. What it
    did not train is a failure; give the space these operations to search there.

    Args:
        path: the file.
        space: the space "nasbench_graph", of any operations and width.
        objectives: among `OBJECTIVES`.
        data_set: whose measurements to use.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind, or the space or an objective does not fit.
    """
    if space.name != SPACE or not isinstance(space, NamedSpace):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    for objective in objectives:
        if objective.name not in OBJECTIVES:
            raise ValueError(f"objective {objective.name!r} is not in the table; allowed: {', '.join(OBJECTIVES)}")
    if data_set not in NUM_ARCHITECTURES:
        raise ValueError(f"data_set is {data_set!r}; allowed: {', '.join(NUM_ARCHITECTURES)}")
    table = _table(Path(path), [data_set])
    return TableEvaluator(NASBenchGraphRows(table, space, [objective.name for objective in objectives], data_set))


def read(path: Path) -> BenchmarkTable:
    """Return what a file of the benchmark holds, to be written as a table.

    A table has for each data set ``NAME_decisions`` (rows, 5), the digits of the hashes, and a column (rows,) for each
    of `MEASUREMENTS`, as ``NAME_validation_accuracy``.

    Args:
        path: npz with all data sets; see `build`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind.
    """
    return _table(path, list(NUM_ARCHITECTURES))


def hash_name(number: int) -> str:
    """Return the name of the network of a hash, as ``0112-gcn-gin-fc-identity`` of 61278."""
    macro, *operations = map(int, f"{number:0{NUM_DIGITS}}")
    return "-".join([MACROS[macro], *(OPERATIONS[digit] for digit in operations)])


def _table(path: Path, data_sets: Sequence[DataSet]) -> BenchmarkTable:
    """Return the checked table of a compact file, or of some data sets of an npz file."""
    if benchmark_table.is_table(path):
        table = benchmark_table.read(path, SPACE)
    else:
        columns: dict[str, NDArray[Any]] = {}
        for data_set in data_sets:
            hashes, measured = _arrays(path, data_set)
            columns[f"{data_set}_decisions"] = _digits(hashes).astype(np.uint8)
            validation, test, seconds, millions = measured.astype(np.float64).T
            values = (validation, test, 1e3 * seconds, np.round(1e6 * millions))
            for (name, kind), column in zip(MEASUREMENTS.items(), values, strict=True):
                columns[f"{data_set}_{name}"] = column.astype(kind)
        source = f"{path.name}, of NAS-Bench-Graph (arXiv:2206.09166)"
        table = BenchmarkTable(SPACE, columns, source, version=path.name)
    for data_set in data_sets:
        names = (f"{data_set}_decisions", *(f"{data_set}_{name}" for name in MEASUREMENTS))
        problem = _table_problem(table.selected(names, path), NUM_ARCHITECTURES[data_set])
        if problem:
            raise ValueError(f"{path}, {data_set}: {problem}; take the file from its source again")
    return table


def _table_problem(columns: Sequence[NDArray[Any]], num_rows: int) -> str | None:
    """Return what is wrong with the columns of a data set; None if nothing is."""
    digits, *measured = columns
    if digits.shape != (num_rows, NUM_DIGITS) or digits.dtype.kind != "u" or (digits >= np.array(LIMITS)).any():
        return f"decisions {digits.shape} are not {NUM_DIGITS} digits of {num_rows} networks"
    if [(column.shape, column.dtype.str[1:]) for column in measured] != [
        ((num_rows,), kind) for kind in MEASUREMENTS.values()
    ]:
        return "a measurement is not one number a network"
    validation, test, latency, _ = measured
    if not (np.isfinite(latency).all() and all((each >= 0).all() and (each <= 1).all() for each in (validation, test))):
        return "an accuracy is not from 0 to 1, or a latency not finite"
    return None


def _arrays(path: Path, data_set: DataSet) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the hashes and the table of a data set, checked."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            found = [arrays[name] for name in ("columns", f"{data_set}_hash", f"{data_set}_table")]
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no {path}; give the path of the tables of NAS-Bench-Graph") from None
    except KeyError as error:
        raise ValueError(f"{path} has no {error}; give the tables of NAS-Bench-Graph") from None
    except (EOFError, OSError, TypeError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is damaged, or no npz ({reason}); take the file from its source again") from None
    problem = _problem(found[0], found[1], found[2], NUM_ARCHITECTURES[data_set])
    if problem:
        raise ValueError(f"{path}, {data_set}: {problem}; take the file from its source again")
    return found[1], found[2]


def _problem(columns: NDArray[Any], hashes: NDArray[Any], table: NDArray[Any], num_rows: int) -> str | None:
    """Return what is wrong with the arrays; None if nothing is."""
    if columns.tolist() != list(COLUMNS):
        return f"columns are {columns.tolist()}, not {', '.join(COLUMNS)}"
    if hashes.shape != (num_rows,) or table.shape != (num_rows, len(COLUMNS)):
        return f"hashes {hashes.shape} and table {table.shape} are not {num_rows} rows of {len(COLUMNS)} columns"
    if hashes.dtype.kind not in "iu" or table.dtype.kind != "f":
        return f"hashes are {hashes.dtype} and the table {table.dtype}, not integers and floating point"
    outside = (_digits(hashes) >= np.array(LIMITS)).any(axis=1)
    wrong = hashes[outside | (hashes < 0) | (hashes >= 10**NUM_DIGITS)]
    if wrong.size:
        return f"hash {wrong[0]} is not five digits from 0 to {len(OPERATIONS) - 1}"
    if np.unique(hashes).size != num_rows:
        return "a hash occurs twice"
    accuracies, costs = table[:, :2], table[:, 2:]
    if not (np.isfinite(table).all() and (accuracies >= 0).all() and (accuracies <= 1).all() and (costs > 0).all()):
        return "an accuracy is not from 0 to 1, or a latency or size not above 0"
    return None


def _digits(hashes: NDArray[Any]) -> NDArray[Any]:
    """Return the five digits of each hash."""
    digits: NDArray[Any] = hashes[:, None] // 10 ** np.arange(NUM_DIGITS)[::-1] % 10
    return digits
