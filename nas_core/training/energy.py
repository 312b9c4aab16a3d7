"""Energy that a device says it has used: RAPL of a processor, NVML of a GPU; nothing is estimated."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from nas_core.task import Inputs
from nas_core.training.measurement import in_mode, synchronize

POWERCAP = Path("/sys/class/powercap")
PACKAGES = "intel-rapl:[0-9]*"
"""Packages, and in the names with a second colon their parts, which are left out."""


def energy_counter(device: torch.device, powercap: Path = POWERCAP) -> Callable[[], float] | None:
    """Return a function that reads the joules a device has used since some moment; None if no meter is readable.

    Of a processor the RAPL counters of all packages, which hold whatever runs on the machine; of a GPU NVML's, if the
    package pynvml is installed.

    Args:
        device: a processor or a GPU.
        powercap: folder of the counters.
    """
    return _nvml(device) if device.type == "cuda" else _rapl(powercap)


def energy_mj(
    network: nn.Module, inputs: Inputs, read: Callable[[], float], *, warmup: int = 5, seconds: float = 1.0
) -> float:
    """Return the energy of one forward pass in evaluation mode, in millijoules: the mean over passes for a while.

    What the device uses when it is idle, and for other processes, is part of it.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a batch; the energy is that of the whole batch.
        read: gives joules, as `energy_counter` returns it.
        warmup: passes that are not counted.
        seconds: how long passes are repeated, so that the counter, which moves every millisecond, is fine enough.
    """
    with in_mode(network, training=False), torch.inference_mode():
        for _ in range(warmup):
            network(inputs)
        synchronize(inputs.device)
        before, end, num_passes = read(), time.perf_counter() + seconds, 0
        while num_passes == 0 or time.perf_counter() < end:
            network(inputs)
            synchronize(inputs.device)
            num_passes += 1
        return 1000.0 * (read() - before) / num_passes


def _rapl(powercap: Path) -> Callable[[], float] | None:
    """Return the sum of the packages' counters, each followed beyond the number at which it starts again."""
    packages = [folder for folder in sorted(powercap.glob(PACKAGES)) if folder.name.count(":") == 1]
    try:
        ranges = [int((folder / "max_energy_range_uj").read_text()) for folder in packages]
        last = [int((folder / "energy_uj").read_text()) for folder in packages]
    except (OSError, ValueError):
        return None
    if not packages:
        return None
    used = 0

    def read() -> float:
        nonlocal used
        for place, folder in enumerate(packages):
            now = int((folder / "energy_uj").read_text())
            used += (now - last[place]) % (ranges[place] + 1)
            last[place] = now
        return used / 1e6

    return read


def _nvml(device: torch.device) -> Callable[[], float] | None:
    if importlib.util.find_spec("pynvml") is None:
        return None
    nvml = importlib.import_module("pynvml")
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except nvml.NVMLError:
        return None
    return lambda: float(nvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000.0
