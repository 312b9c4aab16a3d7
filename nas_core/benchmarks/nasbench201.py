"""The table of NAS-Bench-201 (Dong & Yang 2020, arXiv:2001.00326): every cell of the space, trained and measured."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.data import nasbench201_table, nats_archive
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.data.nasbench201_table import (
    ACCURACY_DECIMALS,
    DATA_SETS,
    EPOCHS,
    LATENCY,
    LATENCY_DECIMALS,
    SPLITS,
    accuracy_column,
)
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.table_evaluator import TableEvaluator

SPACE = "nasbench201"
NUM_EDGES = nasbench201_table.NUM_EDGES
ACCURACY = "validation_accuracy"
COSTS = ("num_parameters", "flops")
SEARCH_EPOCHS, FULL_EPOCHS = EPOCHS
PREFIXES = nasbench201_table.PREFIXES
NUM_CLASSES: Mapping[str, int] = MappingProxyType({"cifar10": 10, "cifar100": 100, "imagenet16_120": 120})
IMAGE_SIZES: Mapping[str, int] = MappingProxyType({"cifar10": 32, "cifar100": 32, "imagenet16_120": 16})
"""Height and width of the images."""

STAGE_CHANNELS = (16, 32, 64)
CELLS_PER_STAGE = 5
CONVOLUTIONS = (2, 3)
"""The numbers of the operations that are convolutions, of 1 x 1 and of 3 x 3."""


class NASBench201Rows:
    """The rows of a table, by the decisions of a cell.

    The usual protocol chooses by the validation accuracy after 12 epochs and reports the test accuracy after 200, which
    is no score here: see `report`. A proposal's fidelity of 200 epochs gets the validation accuracy after those.
    """

    def __init__(
        self, table: BenchmarkTable, objectives: Sequence[str], data_set: str, epochs: tuple[int, ...]
    ) -> None:
        """Take the rows of a table.

        Args:
            table: checked.
            objectives: names as `build` allows them for the table.
            data_set: whose accuracies and sizes to give.
            epochs: after which the table has all accuracies that are asked for.
        """
        self.space = SPACE
        self.epochs = epochs
        decisions, self._index = table.columns["decisions"], table.columns["index"]
        self._places = {tuple(row): place for place, row in enumerate(decisions.tolist())}
        costs = _costs(decisions, data_set)
        self._scores = {
            length: {name: _objective_column(table, name, data_set, length, costs) for name in objectives}
            for length in epochs
        }
        self._report = {**_accuracies(table, data_set), **costs}
        for name, column in table.columns.items():
            if name.endswith(LATENCY) or name.startswith(f"{data_set}_training_seconds_"):
                self._report[name] = _published(column, LATENCY_DECIMALS)

    def row(self, architecture: Architecture) -> int | None:
        """Return the row of a cell; None if it is none."""
        return self._places.get(architecture.decisions)

    def architectures(self) -> list[Architecture]:
        """Return the cell of each row."""
        return [Architecture(SPACE, decisions) for decisions in self._places]

    def scores(self, row: int, epochs: int | None) -> Mapping[str, float]:
        """Return the scores of a cell after 12 or 200 epochs."""
        return {name: float(column[row]) for name, column in self._scores[cast(int, epochs)].items()}

    def report(self, row: int) -> dict[str, Any]:
        """Return the official index, all accuracies on the data set, the size and what else the table has."""
        measured = {name: column[row].item() for name, column in self._report.items()}
        return {"index": int(self._index[row]), **measured}

    def absence(self, architecture: Architecture) -> str:
        """Return one line that says that an architecture is no cell."""
        return f"{architecture.key} is not in the table"


def build(
    path: str | Path,
    space: SearchSpace,
    objectives: Sequence[Objective],
    *,
    data_set: Literal["cifar10", "cifar100", "imagenet16_120"] = "cifar10",
    epochs: Annotated[int, Ge(1)] | None = None,
    latency_path: str | Path | None = None,
) -> TableEvaluator:
    """Return the evaluator that looks cells up in a file of the benchmark.

    Objectives are ``validation_accuracy`` on the data set, ``DATASET_validation_accuracy`` on any, both after as many
    epochs as a proposal's fidelity says; ``num_parameters`` and ``flops``, which are computed from the benchmark's
    skeleton: 16 channels, 5 cells in each of 3 stages, images of 32 x 32 (16 x 16 for ImageNet16-120), whatever
    skeleton the space would build; and ``DEVICE_latency_ms`` of the devices that were measured, such as
    ``pixel3_latency_ms``; of a GPU the last number is the batch size. On Pixel 3 the latencies below 1 ms, down to
    0.003, are those of 283 cells in which no path leads to the output: their accuracy is that of chance, and a limit on
    the accuracy keeps a search from them.

    Args:
        path: a table imported by `read`, or a CSV file; see `nas_core.data.nasbench201_table.read`.
        space: the space "nasbench201".
        objectives: as above.
        data_set: whose accuracies and sizes to use; ImageNet16-120 is in the benchmark's own files alone.
        epochs: what a proposal without a fidelity gets, 12 or 200; without a number, 12.
        latency_path: a CSV file of latencies, if `path` has none; see `nasbench201_table.with_latencies`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, incomplete or of another kind, or the space, an objective or a setting does
            not fit.
    """
    if space.name != SPACE or not isinstance(space, HasBenchmarkNames):
        raise ValueError(f"space is {space.name!r}; this benchmark knows only {SPACE!r}")
    if data_set not in DATA_SETS:
        raise ValueError(f"data_set is {data_set!r}; allowed: {', '.join(DATA_SETS)}")
    names = [objective.name for objective in objectives]
    known = [f"{each}_{ACCURACY}" for each in DATA_SETS]
    for name in names:
        if name not in (ACCURACY, *known, *COSTS) and not name.endswith(LATENCY):
            raise ValueError(
                f"objective {name!r} is not in the table; allowed: {', '.join((ACCURACY, *COSTS, *known))}, and "
                f"DEVICE{LATENCY} of a device that was measured"
            )
    if nats_archive.is_archive(Path(path)):
        raise ValueError(f"{path} is an official file, which takes minutes to read; import it into a table first")
    data_sets = [each for each in DATA_SETS if each == data_set or f"{each}_{ACCURACY}" in names]
    table = nasbench201_table.read(Path(path), lambda name: space.from_name(name).decisions, data_sets)
    if latency_path is not None:
        table = nasbench201_table.with_latencies(table, Path(latency_path))
    for name in names:
        if name.endswith(LATENCY) and name not in table.columns:
            raise ValueError(_no_device(name, table))
    lengths = _lengths(table, data_sets)
    chosen = SEARCH_EPOCHS if epochs is None else epochs
    if chosen not in lengths:
        has = " and ".join(map(str, lengths)) or "none"
        names_of_sets = " and ".join(data_sets)
        raise ValueError(
            f"{path} has no validation accuracy of {names_of_sets} after {chosen} epochs; epochs it has: {has}"
        )
    return TableEvaluator(NASBench201Rows(table, names, data_set, lengths), chosen)


def read(path: Path, *, latency_path: Path | None = None) -> BenchmarkTable:
    """Return everything that files of the benchmark hold, to be written as a table.

    Args:
        path: an official file or folder, see `nas_core.data.nats_archive.read`, or a CSV file, see
            `nas_core.data.nasbench201_table.read`.
        latency_path: a CSV file of latencies; see `nasbench201_table.with_latencies`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is damaged, incomplete or of another kind.
    """
    space: HasBenchmarkNames = catalog.load("space", SPACE).build()

    def decisions(name: str) -> tuple[int, ...]:
        return space.from_name(name).decisions

    if nats_archive.is_archive(path):
        table = nats_archive.read(path, decisions)
    else:
        table = nasbench201_table.read(path, decisions)
    return table if latency_path is None else nasbench201_table.with_latencies(table, latency_path)


def skeleton_parameters(kernel_sizes: Sequence[int], num_classes: int) -> int:
    """Return the number of parameters of the benchmark's network of a cell.

    Args:
        kernel_sizes: of the convolutions among the cell's operations, dead ones included.
        num_classes: outputs of the classifier.
    """
    first, last = STAGE_CHANNELS[0], STAGE_CHANNELS[-1]
    total = 3 * first * 9 + 2 * first + 2 * last + (last + 1) * num_classes
    for before, after in itertools.pairwise(STAGE_CHANNELS):
        total += before * after * 9 + after * after * 9 + before * after + 4 * after
    for channels in STAGE_CHANNELS:
        total += CELLS_PER_STAGE * sum(channels * channels * size * size + 2 * channels for size in kernel_sizes)
    return total


def skeleton_flops(kernel_sizes: Sequence[int], num_classes: int, image_size: int = 32) -> int:
    """Return the FLOPs (2 x multiply-accumulates, of convolutions and the classifier) on one image; see above."""
    first, last = STAGE_CHANNELS[0], STAGE_CHANNELS[-1]
    num_pixels = image_size * image_size
    macs = 3 * first * 9 * num_pixels + last * num_classes
    for stage, channels in enumerate(STAGE_CHANNELS):
        pixels = num_pixels // 4**stage
        if stage:
            macs += pixels * (channels // 2 * channels * 9 + channels * channels * 9 + channels // 2 * channels)
        macs += CELLS_PER_STAGE * pixels * sum(channels * channels * size * size for size in kernel_sizes)
    return 2 * macs


def _lengths(table: BenchmarkTable, data_sets: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of epochs after which a table has validation accuracies of all data sets."""
    return tuple(
        epochs
        for epochs in EPOCHS
        if all(accuracy_column(data_set, "validation", epochs) in table.columns for data_set in data_sets)
    )


def _no_device(name: str, table: BenchmarkTable) -> str:
    devices = nasbench201_table.devices(table)
    if not devices:
        return f"objective {name!r} is not in the table, which has no latencies; give those by the setting latency_path"
    return (
        f"objective {name!r} is of device {name.removesuffix(LATENCY)!r}, which was not measured; "
        f"allowed: {', '.join(devices)}"
    )


def _objective_column(
    table: BenchmarkTable, name: str, data_set: str, epochs: int, costs: Mapping[str, NDArray[np.int64]]
) -> NDArray[Any]:
    if name in costs:
        return costs[name]
    if name.endswith(LATENCY):
        return _published(table.columns[name], LATENCY_DECIMALS)
    of = data_set if name == ACCURACY else name.removesuffix(f"_{ACCURACY}")
    return _published(table.columns[accuracy_column(of, "validation", epochs)])


def _accuracies(table: BenchmarkTable, data_set: str) -> dict[str, NDArray[np.float64]]:
    """Return the accuracies on a data set by the names of a report."""
    found = {}
    for epochs, split in itertools.product(EPOCHS, SPLITS):
        usual = (split, epochs) in (("validation", SEARCH_EPOCHS), ("test", FULL_EPOCHS))
        column = table.columns.get(accuracy_column(data_set, split, epochs))
        if column is not None:
            found[f"{split}_accuracy" if usual else f"{split}_accuracy_{epochs}_epochs"] = _published(column)
    return found


def _published(column: NDArray[np.float32], num_decimals: int = ACCURACY_DECIMALS) -> NDArray[np.float64]:
    """Return numbers as they were published, before they became float32."""
    return column.astype(np.float64).round(num_decimals)


def _costs(decisions: NDArray[np.uint8], data_set: str) -> dict[str, NDArray[np.int64]]:
    """Return the size of every cell's network by the name of the objective."""
    num_classes, image_size = NUM_CLASSES[data_set], IMAGE_SIZES[data_set]
    parameters, flops = np.zeros((2, NUM_EDGES + 1, NUM_EDGES + 1), np.int64)
    for num_1x1, num_3x3 in itertools.product(range(NUM_EDGES + 1), repeat=2):
        sizes = [1] * num_1x1 + [3] * num_3x3
        parameters[num_1x1, num_3x3] = skeleton_parameters(sizes, num_classes)
        flops[num_1x1, num_3x3] = skeleton_flops(sizes, num_classes, image_size)
    counts = tuple((decisions == operation).sum(axis=1) for operation in CONVOLUTIONS)
    return {"num_parameters": parameters[counts], "flops": flops[counts]}
