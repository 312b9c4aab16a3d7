"""What every program here prints: tables of figures, with the machine they were measured on."""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

Cell = str | int | float | None


@dataclass(frozen=True)
class Table:
    """A table of figures.

    Attributes:
        title: what was measured, units included.
        columns: their names.
        rows: as many values each as there are columns; None where there is none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"{self.title}: row {row} has {len(row)} values for {len(self.columns)} columns")


def command_line(program: str, description: str) -> argparse.ArgumentParser:
    """Return the parser of a program, with the option that all have."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{program}", description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    return parser


def measured(measure: Callable[[], Sequence[Table]], settings: Mapping[str, Cell], *, as_json: bool) -> None:
    """Take measurements and print their tables, with the machine and its load before and after."""
    before = load_average()
    tables = measure()
    machine = {**machine_description(), "load_before": before, "load_after": load_average()}
    if as_json:
        print(json.dumps({"settings": dict(settings), "machine": machine, "tables": list(map(asdict, tables))}))
        return
    print(", ".join(f"{name} {value}" for name, value in settings.items()))
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    for table in tables:
        print(f"\n{as_text(table)}")


def as_text(table: Table) -> str:
    """Return a table as lines of aligned columns; text is on the left of its column, numbers are on the right."""
    shown = [tuple(map(_shown, row)) for row in table.rows]
    widths = [max(map(len, column)) for column in zip(table.columns, *shown, strict=True)]
    on_the_left = [all(isinstance(row[place], str) for row in table.rows) for place in range(len(table.columns))]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if left else cell.rjust(width)
            for cell, width, left in zip(cells, widths, on_the_left, strict=True)
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join((table.title, line(table.columns), *map(line, shown)))


def as_markdown(table: Table) -> str:
    """Return a table in Markdown, without its title."""
    lines = [table.columns, ("---",) * len(table.columns), *(tuple(map(_shown, row)) for row in table.rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine_description() -> dict[str, Cell]:
    """Return what decides how fast this machine is: processor, number of cores, version of Python."""
    return {"processor": _processor(), "num_cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}


def load_average() -> float:
    """Return how many processes ran or waited to run, as the mean over the last minute."""
    return round(os.getloadavg()[0], 2)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def _shown(value: Cell) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
