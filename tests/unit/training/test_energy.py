"""Energy is what a meter says, and nothing where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from nas_core.training.energy import energy_counter, energy_mj

CPU = torch.device("cpu")


def package(powercap: Path, name: str, used: int) -> Path:
    folder = powercap / name
    folder.mkdir(exist_ok=True)
    (folder / "energy_uj").write_text(f"{used}\n")
    (folder / "max_energy_range_uj").write_text("9999999\n")
    return folder


def test_without_a_meter_there_is_no_counter(tmp_path: Path) -> None:
    assert energy_counter(CPU, tmp_path) is None


def test_packages_add_up_beyond_their_range_and_parts_do_not_count(tmp_path: Path) -> None:
    package(tmp_path, "intel-rapl:0", 9_000_000)
    package(tmp_path, "intel-rapl:1", 0)
    package(tmp_path, "intel-rapl:0:0", 0)
    read = energy_counter(CPU, tmp_path)
    assert read is not None
    assert read() == 0
    package(tmp_path, "intel-rapl:0", 500_000)
    package(tmp_path, "intel-rapl:1", 2_000_000)
    package(tmp_path, "intel-rapl:0:0", 5_000_000)
    assert read() == pytest.approx(3.5)


def test_energy_is_shared_out_over_the_passes() -> None:
    network = nn.Identity()
    passes: list[int] = []
    network.register_forward_hook(lambda *_: passes.append(1))
    found = energy_mj(network, torch.zeros(1, 2), lambda: 0.002 * len(passes), warmup=3, seconds=0.01)
    assert found == pytest.approx(2.0)
