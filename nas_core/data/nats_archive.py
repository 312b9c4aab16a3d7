"""Reads the files in which NAS-Bench-201 and NATS-Bench publish their cells, without letting them run code.

Dong & Yang 2020, arXiv:2001.00326, and Dong et al. 2021, arXiv:2009.00437. For each cell there is a dict, by the length
of the training ("12" and "200"; "less" and "full" in the older files), of ``arch_index``, ``arch_str`` and
``all_results``: a dict by (data set, seed) of what one training reached, with ``eval_acc1es`` by set and epoch, as
"x-valid@11", in percent, ``train_times`` by epoch and ``latency``, both in seconds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data import restricted_pickle
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.data.nasbench201_table import BENCHMARK, LATENCY, NUM_CELLS, accuracy_column, check

SUFFIXES = (".pbz2", ".pth")
REMEDY = "fetch it from its publisher again"
META = "meta.pickle.pbz2"
LENGTHS: Mapping[str, int] = MappingProxyType({"12": 12, "less": 12, "200": 200, "full": 200})
"""Training epochs by the keys of a cell's dict."""

EVALUATIONS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("cifar10", "validation"): ("cifar10-valid", "x-valid"),
        ("cifar10", "test"): ("cifar10", "ori-test"),
        ("cifar100", "validation"): ("cifar100", "x-valid"),
        ("cifar100", "test"): ("cifar100", "x-test"),
        ("imagenet16_120", "validation"): ("ImageNet16-120", "x-valid"),
        ("imagenet16_120", "test"): ("ImageNet16-120", "x-test"),
    }
)
"""The benchmark's name of the training, and of the set on which it was evaluated."""

DEVICE = "1080ti_256"
"""What the benchmark measured its latencies on: a GPU, with this batch size."""

Decisions = tuple[int, ...]


def is_archive(path: Path) -> bool:
    """Return whether a path is that of an official file or of a folder of them."""
    return path.is_dir() or path.suffix in SUFFIXES


def read(path: Path, decisions: Callable[[str], Decisions]) -> BenchmarkTable:
    """Return the table of all cells; each number is the mean over the trainings with different seeds.

    A column that no cell has is left out: NAS-Bench-201-v1_0 has no CIFAR-100 after 12 epochs, for one.

    Args:
        path: ``NATS-tss-*.pickle.pbz2`` or ``NAS-Bench-201-*.pth``, which hold all cells at once and take as much
            memory as they unpack to, or a folder with a file a cell, ``NATS-tss-*-simple`` or one of ``*.pth``, which
            takes little.
        decisions: returns the decisions of an official string, or raises a ValueError.

    Raises:
        FileNotFoundError: there is no such file, or the folder has none.
        ValueError: a file is damaged, asks for a function that such files do not need, or lacks a cell or a number.
    """
    indices: dict[Decisions, int] = {}
    rows: list[dict[str, float]] = []
    for place, cell in cells(path):
        try:
            index, name, row = _row(cell)
            indices[decisions(name)] = index
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            reason = f"has no {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{place}: {reason}; {REMEDY}") from None
        rows.append(row)
    if not len(indices) == len(rows) == NUM_CELLS:
        raise ValueError(
            f"{path} has {len(rows)} records of {len(indices)} cells; the benchmark has {NUM_CELLS}, each once"
        )
    names = sorted({name for row in rows for name in row})
    for name in names:
        absent = [index for index, row in zip(indices.values(), rows, strict=True) if name not in row]
        if absent:
            raise ValueError(f"{path}: {len(absent)} cells have no {name}, the first with index {absent[0]}; {REMEDY}")
    columns: dict[str, NDArray[Any]] = {
        "decisions": np.array(list(indices), np.uint8),
        "index": np.array(list(indices.values()), np.int32),
        **{name: np.array([row[name] for row in rows], np.float32) for name in names},
    }
    table = BenchmarkTable(
        BENCHMARK,
        columns,
        source=f"{path.name}, of NAS-Bench-201 (arXiv:2001.00326) and NATS-Bench (arXiv:2009.00437)",
        license="MIT",
        version=path.name.removesuffix(".pbz2").removesuffix(".pickle").removesuffix(".pth"),
    )
    check(table, path)
    return table


def _row(cell: Mapping[str, Any]) -> tuple[int, str, dict[str, float]]:
    """Return the index and the name of a cell, and its columns."""
    found: dict[str, float] = {}
    index, name = -1, ""
    for key, state in cell.items():
        epochs = LENGTHS.get(key)
        if epochs is None:
            continue
        index, name = int(state["arch_index"]), str(state["arch_str"])
        trainings: dict[str, list[Mapping[str, Any]]] = {}
        for (trained_on, _), training in state["all_results"].items():
            trainings.setdefault(trained_on, []).append(training)
        for (data_set, split), (trained_on, evaluated_on) in EVALUATIONS.items():
            chosen = trainings.get(trained_on, [])
            last = f"{evaluated_on}@{epochs - 1}"
            measured = [training["eval_acc1es"][last] for training in chosen if last in training["eval_acc1es"]]
            if measured:
                found[accuracy_column(data_set, split, epochs)] = _mean(measured) / 100
            times = [sum(training["train_times"].values()) for training in chosen if training["train_times"]]
            if split == "validation" and times:
                found[f"{data_set}_training_seconds_{epochs}_epochs"] = _mean(times)
            latencies = [_mean(training["latency"]) for training in chosen if training["latency"]]
            if split == "validation" and latencies and epochs == max(LENGTHS.values()):
                found[f"{data_set}_{DEVICE}{LATENCY}"] = 1e3 * _mean(latencies)
    if not name:
        raise ValueError(f"it holds no cell, trained for {' or '.join(LENGTHS)}")
    return index, name, found


def _mean(values: Any) -> float:
    return math.fsum(map(float, values)) / len(values)


def cells(path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield what is known of each cell, and the file that it is from.

    Raises:
        FileNotFoundError: there is no such file, or the folder has none.
        ValueError: a file is damaged, or asks for a function that such files do not need.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is no {path}; give an official file of NAS-Bench-201 or NATS-Bench")
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES and each.name != META)
        if not files:
            raise FileNotFoundError(f"{path} has no files of cells, such as 000000.pickle.pbz2; unpack the archive")
        for file in files:
            yield file, _loaded(file)
        return
    whole = _loaded(path).get("arch2infos")
    if not isinstance(whole, dict):
        raise ValueError(f"{path} has no arch2infos; give the file of all cells, or the folder of their files")
    while whole:
        yield path, whole.popitem()[1]


def _loaded(path: Path) -> dict[str, Any]:
    """Return the dict in a file; its functions are refused by name."""
    found = _torch_loaded(path) if path.suffix == ".pth" else restricted_pickle.read_compressed(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__}, not a dict; {REMEDY}")
    return found


def _torch_loaded(path: Path) -> object:
    """Return what torch wrote: tensors and plain values, numbers of numpy among them."""
    import pickle

    import torch

    numbers: list[Any] = [np.dtype, type(np.dtype(np.float64)), type(np.dtype(np.float32)), type(np.dtype(np.int64))]
    scalar = np.float64(0).__reduce__()[0]
    for module in ("numpy.core.multiarray", "numpy._core.multiarray"):
        numbers.append((scalar, f"{module}.scalar"))
    try:
        with torch.serialization.safe_globals(numbers):
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError, OSError) as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        reason = f"it asks for {asked[1]}, which is refused" if asked else " ".join(str(error).split())[:200]
        raise ValueError(f"{path} is no file of plain values and tensors ({reason}); {REMEDY}") from None
