"""A table of NAS-Bench-101 (Ying et al. 2019, arXiv:1902.09635): cells trained on CIFAR-10 for 4 to 108 epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any, Literal, cast

import numpy as np
from annotated_types import Ge

from nas_core.architecture import Architecture
from nas_core.data import nasbench101_records, nasbench101_table
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.data.nasbench101_table import EPOCHS, NUM_DECIMALS, NUM_DECISIONS, NUM_EDGES, accuracy_column
from nas_core.networks.vertex_cell import VertexCell
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.table_evaluator import TableEvaluator

SPACE = "nasbench101"
OBJECTIVES = ("validation_accuracy", "num_parameters")
FULL_EPOCHS = EPOCHS[-1]


class NASBench101Rows:
    """The rows of a table, by the published hash of a cell, so that any graph of a network finds its row.

    The accuracy is that of the first run, the same at every query, as a search would see it; a report has the mean over
    the runs of what was measured on test images.
    """

    def __init__(self, table: BenchmarkTable, objectives: Sequence[str]) -> None:
        """Take the rows of a table.

        Args:
            table: checked.
            objectives: names out of `OBJECTIVES`.
        """
        self.space = SPACE
        self.epochs = nasbench101_table.lengths(table)
        self._columns = table.columns
        self._objectives = tuple(objectives)
        high, low = table.columns["module_hash"].T
        self._order = np.lexsort((low, high)).astype(np.int32)
        self._high, self._low = high[self._order], low[self._order]

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of a graph's network; None if it is no graph, or the table has no such network."""
        made = architecture.decisions
        if len(made) != NUM_DECISIONS or not set(made[:NUM_EDGES]) <= {0, 1}:
            return None
        pruned = VertexCell.from_bits(made[:NUM_EDGES], made[NUM_EDGES:]).pruned()
        if pruned is None:
            return None
        digits = pruned.module_hash()
        high, low = np.uint64(int(digits[:16], 16)), np.uint64(int(digits[16:], 16))
        first, last = np.searchsorted(self._high, high, "left"), np.searchsorted(self._high, high, "right")
        place = first + np.searchsorted(self._low[first:last], low)
        return int(self._order[place]) if place < last and self._low[place] == low else None

    def architectures(self) -> list[Architecture]:
        """Return the cell of each row, as the table writes it."""
        return [Architecture(SPACE, tuple(decisions)) for decisions in self._columns["decisions"].tolist()]

    def scores(self, row: int, epochs: int | None) -> Mapping[str, float]:
        """Return the scores of a cell after 4, 12, 36 or 108 epochs."""
        accuracies = self._columns[accuracy_column("validation", cast(int, epochs))]
        known = (_published(accuracies[row, 0]), float(self._columns["num_parameters"][row]))
        scores = dict(zip(OBJECTIVES, known, strict=True))
        return {name: scores[name] for name in self._objectives}

    def report(self, row: int) -> dict[str, Any]:
        """Return the hash, the size, the training time and all accuracies that the table has."""
        high, low = self._columns["module_hash"][row].tolist()
        found: dict[str, Any] = {
            "module_hash": f"{high:016x}{low:016x}",
            "num_parameters": int(self._columns["num_parameters"][row]),
        }
        seconds = self._columns.get(nasbench101_table.seconds_column(FULL_EPOCHS))
        if seconds is not None:
            found["training_seconds"] = float(seconds[row].mean(dtype=np.float64))
        for epochs in self.epochs:
            name = accuracy_column("validation", epochs)
            found[name] = _published(self._columns[name][row, 0])
            name = accuracy_column("test", epochs)
            if name in self._columns:
                found[name] = fmean(map(_published, self._columns[name][row].tolist()))
        return found

    def absence(self, architecture: Architecture) -> str:
        """Return one line that says that the table has no such cell, and how to search those that it has."""
        return (
            f"{architecture.key} is not among the {len(self._order)} cells of the table; "
            f"restrict the space to them by the setting 'table' of {SPACE!r}"
        )


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: Literal["cifar10"] = "cifar10",
    epochs: Annotated[int, Ge(1)] | None = None,
) -> TableEvaluator:
    """Return the evaluator that looks cells up in a file of the benchmark, or of a part of it.

    A cell that the table does not hold is a failed evaluation.

    Args:
        path: a table imported by `read`, or a CSV file; see `nas_core.data.nasbench101_table.load`.
        space: the space "nasbench101", restricted to the table or not.
        objectives: among `OBJECTIVES`.
        data_set: the only one that the benchmark has.
        epochs: what a proposal without a fidelity gets, 4, 12, 36 or 108; without a number, 108, as is usual.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another kind, or the space, an objective or a setting does not fit.
    """
    if space.name != SPACE or not isinstance(space, HasBenchmarkNames):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    for objective in objectives:
        if objective.name not in OBJECTIVES:
            raise ValueError(f"objective {objective.name!r} is not in the table; allowed: {', '.join(OBJECTIVES)}")
    if data_set != "cifar10":
        raise ValueError(f"data_set is {data_set!r}; allowed: cifar10")
    if nasbench101_records.is_archive(Path(path)):
        raise ValueError(f"{path} is an official file, which takes minutes to read; import it into a table first")
    rows = NASBench101Rows(nasbench101_table.load(Path(path)), [objective.name for objective in objectives])
    chosen = FULL_EPOCHS if epochs is None else epochs
    if chosen not in rows.epochs:
        raise ValueError(f"{path} has no accuracies after {chosen} epochs; allowed: {', '.join(map(str, rows.epochs))}")
    return TableEvaluator(rows, chosen)


def read(path: Path) -> BenchmarkTable:
    """Return everything that a file of the benchmark holds, to be written as a table.

    Args:
        path: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``, or a CSV file, as for `build`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or of another kind.
    """
    return (nasbench101_records.read if nasbench101_records.is_archive(path) else nasbench101_table.load)(path)


def _published(accuracy: float) -> float:
    """Return an accuracy as it was before it became float32."""
    return round(float(accuracy), NUM_DECIMALS)
