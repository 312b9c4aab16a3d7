"""The machine that the report runs on, and the energy that stages report."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENERGY_COUNTERS = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Machine:
    """A computer.

    Attributes:
        num_cpus: processors that this process may use.
        processor: the model's name; empty if unknown.
        memory_gib: main memory.
        system: kernel and architecture.
        has_energy_counter: whether the processor reports energy (RAPL) to this process.
    """

    num_cpus: int
    processor: str
    memory_gib: float
    system: str
    has_energy_counter: bool

    def phrase(self, device: str) -> str:
        """Return the machine in a few words; `device` is where networks were trained."""
        cores = "1 CPU core" if self.num_cpus == 1 else f"{self.num_cpus} CPU cores"
        return f"{cores}, networks on {device}"


def this_machine() -> Machine:
    """Return the machine that this runs on."""
    import psutil

    return Machine(
        num_cpus=len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1,
        processor=_processor(Path("/proc/cpuinfo")),
        memory_gib=psutil.virtual_memory().total / 2**30,
        system=f"{platform.system()} {platform.machine()}",
        has_energy_counter=any(
            os.access(path, os.R_OK) for path in sorted(ENERGY_COUNTERS.glob("intel-rapl:*/energy_uj"))
        ),
    )


def energy_joules(metrics: Mapping[str, Any]) -> float | None:
    """Return the energy that a stage's metrics state, in joules; None if they state none."""
    stated = [value for name, value in metrics.items() if name == "joules" or name.endswith("_joules")]
    return float(sum(stated)) if stated else None


def _processor(path: Path) -> str:
    """Return the model's name as Linux gives it, else as Python knows it."""
    if path.is_file():
        for line in path.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    return platform.processor()
