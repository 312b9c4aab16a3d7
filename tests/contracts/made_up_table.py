"""A made-up table of all cells of NAS-Bench-201, for tests that need one of the full size."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from nas_core.architecture import Architecture
from nas_core.spaces import nasbench201

Decisions = tuple[int, ...]


def write(path: Path, percent: Callable[[Decisions], float]) -> Path:
    """Write a table whose accuracies, in percent, are all what a function says, called once a column."""
    space = nasbench201.build()
    lines = ["index,arch,c10_val_12ep,c10_test_12ep,c10_val_200ep,c10_test_200ep"]
    for index, decisions in enumerate(itertools.product(range(5), repeat=6)):
        percents = ",".join(f"{percent(decisions):.3f}" for _ in range(4))
        lines.append(f"{index},{space.to_name(Architecture('nasbench201', decisions))},{percents}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
