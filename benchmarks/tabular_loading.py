"""What loading a benchmark's table costs, compact and as CSV or npz.

`python -m benchmarks.tabular_loading [--tables FOLDER] [--repeats 5]`. The folder has `nasbench201_accuracy.csv.gz`,
`nasbench201_latency_ms.csv.gz`, `nasbench101_20k.csv.gz` and `nasbench_graph.npz`, or some of them; without --tables it
is the one that NAS_TABLES_ROOT names. Beside these there is a table of the size of all of NAS-Bench-101, made
of random numbers: 423,624 cells with three runs of four lengths. Each is loaded and asked for one evaluation in a fresh
process.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.data import benchmark_table, nasbench101_table
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.space import HasReference, SearchSpace

ACCURACY = Objective("validation_accuracy", "maximize")
NUM_CELLS, NUM_RUNS = 423_624, 3
"""Of NAS-Bench-101."""

SECONDS, MEGABYTES = 1.0, 200.0
"""What loading is to stay below."""


@dataclass(frozen=True)
class Source:
    """A file of a benchmark, and how it is loaded.

    Attributes:
        benchmark: name of the plug-in.
        space: name of the plug-in.
        data_set: whose measurements to use.
        file: in the folder of tables.
        latency_file: likewise, beside it; empty for none.
    """

    benchmark: str
    space: str
    data_set: str
    file: str
    latency_file: str = ""


SOURCES = (
    Source("nasbench201", "nasbench201", "cifar10", "nasbench201_accuracy.csv.gz", "nasbench201_latency_ms.csv.gz"),
    Source("nasbench101", "nasbench101", "cifar10", "nasbench101_20k.csv.gz"),
    Source("gnn_space.benchmarks.nasbench_graph", "gnn_space.nasbench_graph", "cora", "nasbench_graph.npz"),
)


@dataclass(frozen=True)
class Cost:
    """What loading took.

    Attributes:
        seconds: without the start of the process and its imports.
        megabytes: the most that the process held, imports included.
        megabytes_before: what it held after its imports.
    """

    seconds: float
    megabytes: float
    megabytes_before: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    root = os.environ.get("NAS_TABLES_ROOT")
    parser = command_line("tabular_loading", __doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path(root) if root else None)
    parser.add_argument("--repeats", type=int, default=5, help="fresh processes a file; the median counts")
    parser.add_argument("--cells", type=int, default=NUM_CELLS, help="of the table that is made of random numbers")
    parser.add_argument("--load", nargs=4, metavar=("BENCHMARK", "SPACE", "DATA_SET", "FILE"), help=argparse.SUPPRESS)
    parser.add_argument("--latency", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.load is not None:
        print(json.dumps(vars(_load(Source(*chosen.load, chosen.latency)))))
        return 0
    if chosen.tables is None:
        parser.error("give --tables, or name the folder in NAS_TABLES_ROOT")
    measured(
        lambda: [_costs(chosen.tables, chosen.repeats, chosen.cells)], {"repeats": chosen.repeats}, as_json=chosen.json
    )
    return 0


def _costs(folder: Path, repeats: int, num_cells: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory(prefix="tabular-loading-") as scratch:
        for source in SOURCES:
            if not (folder / source.file).is_file():
                continue
            beside = folder / source.latency_file
            latency_file = str(beside) if beside.is_file() else ""
            published = replace(source, file=str(folder / source.file), latency_file=latency_file)
            compact = Path(scratch, f"{source.space}.safetensors")
            module = catalog.load("benchmark", source.benchmark)
            latencies = {"latency_path": Path(latency_file)} if latency_file else {}
            benchmark_table.write(compact, module.read(Path(published.file), **latencies))
            before = _measured(published, repeats)
            after = _measured(replace(source, file=str(compact), latency_file=""), repeats)
            rows += [_row(source.file, published.file, before, None), _row("compact", compact, after, before)]
        whole = Path(scratch, "nasbench101_whole.safetensors")
        benchmark_table.write(whole, random_table(num_cells))
        name = f"compact, {num_cells} cells of random numbers"
        rows.append(
            _row(name, whole, _measured(Source("nasbench101", "nasbench101", "cifar10", str(whole)), repeats), None)
        )
    return Table(
        f"loading a table in a fresh process; targets: below {SECONDS:g} s and {MEGABYTES:g} MB",
        ("file", "MB on disk", "seconds", "peak MB", "of it before", "seconds, ratio", "MB added, ratio"),
        tuple(rows),
    )


def random_table(num_cells: int) -> BenchmarkTable:
    """Return a table with the columns of all of NAS-Bench-101, but random numbers in them."""
    generator = np.random.default_rng(0)
    runs = {}
    for epochs in nasbench101_table.EPOCHS:
        for name in (
            nasbench101_table.accuracy_column("validation", epochs),
            nasbench101_table.accuracy_column("test", epochs),
            nasbench101_table.seconds_column(epochs),
        ):
            runs[name] = generator.random((num_cells, NUM_RUNS), np.float32)
    columns = {
        "decisions": generator.integers(2, size=(num_cells, nasbench101_table.NUM_DECISIONS), dtype=np.uint8),
        "num_vertices": np.full(num_cells, nasbench101_table.MAX_VERTICES, np.uint8),
        "module_hash": generator.integers(2**63, size=(num_cells, 2), dtype=np.uint64),
        "num_parameters": generator.integers(10**5, 10**7, size=num_cells, dtype=np.int32),
    }
    return BenchmarkTable(nasbench101_table.BENCHMARK, {**columns, **runs})


def _row(name: str, path: str | Path, cost: Cost, other: Cost | None) -> tuple[Cell, ...]:
    """Return a row of the table; ratios are what the other file costs by what this one does."""
    ratios: tuple[Cell, Cell] = (None, None)
    if other is not None:
        added, other_added = (each.megabytes - each.megabytes_before for each in (cost, other))
        ratios = (other.seconds / cost.seconds, other_added / added)
    size = Path(path).stat().st_size / 1e6
    return name, size, cost.seconds, cost.megabytes, cost.megabytes_before, *ratios


def _measured(source: Source, repeats: int) -> Cost:
    """Return the medians over fresh processes."""
    named = [source.benchmark, source.space, source.data_set, source.file]
    command = [sys.executable, "-m", "benchmarks.tabular_loading", "--load", *named, "--latency", source.latency_file]
    found = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(repeats)
    ]
    return Cost(*(median(each[name] for each in found) for name in ("seconds", "megabytes", "megabytes_before")))


def _load(source: Source) -> Cost:
    """Load a file in this process, and ask for one evaluation."""
    benchmark = catalog.load("benchmark", source.benchmark)
    space: SearchSpace = catalog.load("space", source.space).build()
    latencies = {"latency_path": source.latency_file} if source.latency_file else {}
    before = _peak_megabytes()
    start = time.perf_counter()
    table = benchmark.build(source.file, space, [ACCURACY], data_set=source.data_set, **latencies)
    if isinstance(space, HasReference):
        table.evaluate([Proposal(space.reference())])
    seconds = time.perf_counter() - start
    return Cost(seconds, _peak_megabytes(), before)


def _peak_megabytes() -> float:
    """Return the most memory that this process has held so far.

    Linux counts what its parent held as well in what `resource` gives, and in its own file does not.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1e3


if __name__ == "__main__":
    sys.exit(main())
