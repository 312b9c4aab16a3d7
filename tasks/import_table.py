"""Imports a benchmark's published files into one compact table, which loads in a moment and runs no code.

``python -m tasks.import_table --benchmark nasbench201 SOURCE TABLE [--latency FILE]``, once; then ``path: TABLE`` in
the settings of the evaluator `tabular`. The table is written atomically.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from nas_core import catalog
from nas_core.data import benchmark_table
from nas_core.data.benchmark_table import BenchmarkTable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m tasks.import_table", description=__doc__.partition("\n")[0])
    parser.add_argument("source", type=Path, help="an official file, a folder of them, or a CSV or npz file")
    parser.add_argument("table", type=Path, help="the file to write, such as nasbench201.safetensors")
    parser.add_argument("--benchmark", required=True, help="its name, or an import path with a dot")
    parser.add_argument("--latency", type=Path, help="a file of latencies to put beside the accuracies")
    chosen = parser.parse_args(arguments)
    try:
        found = _imported(chosen.benchmark, chosen.source, chosen.latency)
        benchmark_table.write(chosen.table, found)
        benchmark_table.read(chosen.table, found.benchmark)
    except (ValueError, OSError) as error:
        print(f"import_table: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    num_bytes = chosen.table.stat().st_size
    print(f"{chosen.table}: {found.benchmark}, {len(found.columns)} columns, {num_bytes / 1e6:.1f} MB")
    return 0


def _imported(benchmark: str, source: Path, latency: Path | None) -> BenchmarkTable:
    """Return what a benchmark's own module reads."""
    read: Callable[..., BenchmarkTable] | None = getattr(catalog.load("benchmark", benchmark), "read", None)
    if read is None:
        raise ValueError(f"benchmark {benchmark!r} has no files to import; use its file as it is")
    if latency is None:
        return read(source)
    if "latency_path" not in inspect.signature(read).parameters:
        raise ValueError(f"benchmark {benchmark!r} has no file of latencies; leave out --latency")
    return read(source, latency_path=latency)


if __name__ == "__main__":
    sys.exit(main())
