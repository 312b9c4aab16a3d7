"""The official files of NAS-Bench-201 and NATS-Bench, as their code writes them, and what is wrong with others."""

from __future__ import annotations

import bz2
import itertools
import os
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.benchmarks import nasbench201 as benchmark
from nas_core.data import benchmark_table, nasbench201_table, nats_archive
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.spaces import nasbench201

SPACE = nasbench201.build()
CELLS = [Architecture("nasbench201", (3, 1, 0, *rest)) for rest in itertools.product(range(5), repeat=3)]
"""As many as the benchmark is made to have here, so that its files stay small."""

NAMES = [SPACE.to_name(cell) for cell in CELLS]
SETS = {"cifar10-valid": ["x-valid", "ori-test"], "cifar10": ["ori-test"], "cifar100": ["x-valid", "x-test"]}
SEEDS = {"12": {"cifar10-valid": [111, 777]}, "200": {"cifar10": [777, 888, 999]}}


def training(name: str, epochs: int, percent: float) -> dict[str, Any]:
    """What `ResultsCount.state_dict` gives; the accuracy rises by 1 % an epoch, to `percent` at the end."""
    accuracies = {
        f"{evaluated_on}@{epoch}": percent + place / 4 - (epochs - 1 - epoch)
        for place, evaluated_on in enumerate(SETS[name])
        for epoch in range(epochs - 2, epochs)
    }
    return {
        "name": name,
        "net_state_dict": None,
        "train_acc1es": OrderedDict({epochs - 1: 99.0}),
        "train_losses": OrderedDict({epochs - 1: 0.1}),
        "train_times": OrderedDict({epoch: 2.5 for epoch in range(epochs)}),
        "arch_config": {"channel": 16, "num_cells": 5, "class_num": 10},
        "params": np.float64(1.5),
        "flop": np.float32(113.5),
        "seed": "777",
        "epochs": epochs,
        "latency": [0.0125, 0.0175],
        "eval_names": list(SETS[name]),
        "eval_acc1es": accuracies,
        "eval_losses": dict.fromkeys(accuracies, 1.0),
        "eval_times": dict.fromkeys(accuracies, 0.5),
    }


POOL = {
    (length, name, percent): training(name, int(length), percent)
    for length in SEEDS
    for name in SETS
    for percent in range(10, 92)
}
"""Trainings that cells share, so that the files stay small."""


def cell(index: int) -> OrderedDict[str, Any]:
    """What `ArchResults.state_dict` gives by length; runs with further seeds are better by 1 %."""
    states: OrderedDict[str, Any] = OrderedDict()
    for length, seeds in SEEDS.items():
        found = {
            (name, seed): POOL[length, name, 10 + index % 80 + more]
            for name in SETS
            for more, seed in enumerate(seeds.get(name, [777]))
        }
        states[length] = {
            "arch_index": index,
            "arch_str": NAMES[index],
            "all_results": found,
            "dataset_seed": {name: [seed for each, seed in found if each == name] for name in SETS},
            "clear_net_done": True,
        }
    return states


@pytest.fixture(autouse=True)
def few_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (nats_archive, nasbench201_table):
        monkeypatch.setattr(module, "NUM_CELLS", len(CELLS))


@pytest.fixture
def whole() -> dict[str, Any]:
    return {
        "meta_archs": NAMES,
        "total_archs": len(NAMES),
        "arch2infos": {index: cell(index) for index in range(len(NAMES))},
        "evaluated_indexes": set(range(len(NAMES))),
    }


@pytest.fixture
def imported(whole: dict[str, Any], tmp_path: Path) -> BenchmarkTable:
    path = tmp_path / "NATS-tss-v1_0-3ffb9.pickle.pbz2"
    path.write_bytes(bz2.compress(pickle.dumps(whole, protocol=4), 1))
    return benchmark.read(path)


def place(table: BenchmarkTable, index: int) -> int:
    return table.columns["index"].tolist().index(index)


def test_columns_are_means_over_seeds(imported: BenchmarkTable) -> None:
    row = {name: column[place(imported, 83)].tolist() for name, column in imported.columns.items()}
    assert row == {
        "decisions": list(CELLS[83].decisions),
        "index": 83,
        "cifar10_validation_accuracy_12_epochs": pytest.approx(0.135),  # 13 and 14 %
        "cifar10_test_accuracy_12_epochs": pytest.approx(0.13),
        "cifar10_validation_accuracy_200_epochs": pytest.approx(0.13),
        "cifar10_test_accuracy_200_epochs": pytest.approx(0.14),  # 13, 14 and 15 %
        "cifar100_validation_accuracy_12_epochs": pytest.approx(0.13),
        "cifar100_test_accuracy_12_epochs": pytest.approx(0.1325),
        "cifar100_validation_accuracy_200_epochs": pytest.approx(0.13),
        "cifar100_test_accuracy_200_epochs": pytest.approx(0.1325),
        **{f"cifar{n}_training_seconds_{e}_epochs": 2.5 * e for n in (10, 100) for e in (12, 200)},
        **{f"cifar{n}_1080ti_256_latency_ms": pytest.approx(15.0) for n in (10, 100)},
    }
    assert imported.version == "NATS-tss-v1_0-3ffb9"


def test_a_search_looks_the_imported_table_up(imported: BenchmarkTable, tmp_path: Path) -> None:
    path = tmp_path / "table.safetensors"
    benchmark_table.write(path, imported)
    objectives = [
        Objective("validation_accuracy", "maximize"),
        Objective("cifar10_validation_accuracy", "maximize"),
        Objective("cifar100_1080ti_256_latency_ms", "minimize", "ms"),
    ]
    table = benchmark.build(path, SPACE, objectives, data_set="cifar100")
    (evaluation,) = table.evaluate([Proposal(CELLS[83])])
    assert dict(evaluation.scores) == {
        "validation_accuracy": 0.13,
        "cifar10_validation_accuracy": 0.135,
        "cifar100_1080ti_256_latency_ms": 15.0,
    }
    report = table.report(CELLS[83])
    assert (report["test_accuracy"], report["cifar100_training_seconds_200_epochs"]) == (0.1325, 500.0)
    with pytest.raises(ValueError, match="has no validation accuracy of imagenet16_120 after 12 epochs"):
        benchmark.build(path, SPACE, objectives[:1], data_set="imagenet16_120")


@pytest.mark.parametrize("zipped", [True, False])
def test_the_older_file_is_read_by_torch(whole: dict[str, Any], tmp_path: Path, zipped: bool) -> None:
    """Its keys are "less" and "full", and it has CIFAR-10 alone after 12 epochs."""
    path = tmp_path / "NAS-Bench-201-v1_0-e61699.pth"
    older = {}
    for index, states in whole["arch2infos"].items():
        less = {key: each for key, each in states["12"]["all_results"].items() if key[0] == "cifar10-valid"}
        older[index] = {"less": {**states["12"], "all_results": less}, "full": states["200"]}
    torch.save({**whole, "arch2infos": older}, path, _use_new_zipfile_serialization=zipped)
    table = benchmark.read(path)
    row = place(table, 83)
    assert table.columns["cifar10_validation_accuracy_12_epochs"][row] == pytest.approx(0.135)
    assert "cifar100_validation_accuracy_12_epochs" not in table.columns
    benchmark_table.write(tmp_path / "table", table)
    objectives = [Objective("validation_accuracy", "maximize")]
    with pytest.raises(ValueError, match="of cifar100 after 12 epochs; epochs it has: 200"):
        benchmark.build(tmp_path / "table", SPACE, objectives, data_set="cifar100")
    found = benchmark.build(tmp_path / "table", SPACE, objectives, data_set="cifar100", epochs=200)
    assert found.evaluate([Proposal(CELLS[83])])[0].scores["validation_accuracy"] == 0.13


def test_a_folder_has_a_file_a_cell(tmp_path: Path) -> None:
    for index in range(3):
        content = pickle.dumps(cell(index), protocol=4)
        (tmp_path / f"{index:06}.pickle.pbz2").write_bytes(bz2.compress(content))
    (tmp_path / nats_archive.META).write_bytes(b"not read")
    torch.save({"less": cell(3)["12"], "full": cell(3)["200"]}, tmp_path / "000003-FULL.pth")
    found = {path.name: found for path, found in nats_archive.cells(tmp_path)}
    assert found["000001.pickle.pbz2"] == cell(1)
    assert found["000003-FULL.pth"] == {"less": cell(3)["12"], "full": cell(3)["200"]}
    with pytest.raises(ValueError, match="has 4 records of 4 cells; the benchmark has 125, each once"):
        benchmark.read(tmp_path)


class Calls:
    """An object whose pickle calls a function."""

    def __init__(self, function: Callable[..., object], *values: object) -> None:
        self.reduced = function, values

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.reduced


def one_cell_file(tmp_path: Path, suffix: str, value: object) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    if suffix == ".pth":
        torch.save(value, folder / "000000-FULL.pth")
    else:
        (folder / "000000.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(value, protocol=4)))
    return folder


@pytest.mark.parametrize("suffix", [".pth", ".pbz2"])
@pytest.mark.parametrize(("function", "name"), [(os.system, r"(posix|nt)\.system"), (eval, "(builtins.)?eval")])
def test_any_other_function_is_refused_by_name(
    tmp_path: Path, suffix: str, function: Callable[..., object], name: str
) -> None:
    victim = tmp_path / "victim"
    folder = one_cell_file(tmp_path, suffix, {"200": Calls(function, f"touch {victim}")})
    with pytest.raises(ValueError, match=f"asks for {name}, which is refused") as caught:
        benchmark.read(folder)
    assert "\n" not in str(caught.value)
    assert not victim.exists()


@pytest.mark.parametrize("suffix", [".pth", ".pbz2"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "holds a list, not a dict"),
        ({"200": {"arch_index": 0}}, "has no 'arch_str'"),
        ({"30": {}}, "it holds no cell, trained for 12 or less or 200 or full"),
        ({"200": {**cell(0)["200"], "all_results": {("cifar10", 777): {}}}}, "has no 'eval_acc1es'"),
        ({"200": {**cell(0)["200"], "arch_str": "|conv~0|"}}, "names no cell"),
        ({"200": None}, "subscriptable"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(
    tmp_path: Path, suffix: str, value: object, message: str
) -> None:
    folder = one_cell_file(tmp_path, suffix, value)
    with pytest.raises(ValueError, match=message) as caught:
        benchmark.read(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".pth", ".pbz2"])
def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path, suffix: str) -> None:
    folder = one_cell_file(tmp_path, suffix, cell(0))
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    for content in (whole[:-30], whole[: len(whole) // 2], b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=path.name) as caught:
            benchmark.read(folder)
        assert "\n" not in str(caught.value)


def test_files_that_are_not_there_or_not_whole(tmp_path: Path, whole: dict[str, Any]) -> None:
    with pytest.raises(FileNotFoundError, match="give an official file"):
        benchmark.read(tmp_path / "absent.pth")
    with pytest.raises(FileNotFoundError, match="has no files of cells"):
        benchmark.read(tmp_path)
    path = tmp_path / "NATS.pickle.pbz2"
    path.write_bytes(bz2.compress(pickle.dumps({"arch2infos": None})))
    with pytest.raises(ValueError, match="has no arch2infos"):
        benchmark.read(path)
    with pytest.raises(ValueError, match="is an official file, which takes minutes to read; import it"):
        benchmark.build(path, SPACE, [])
    infos = dict(whole["arch2infos"])
    infos[5] = {"200": infos[5]["200"]}
    path.write_bytes(bz2.compress(pickle.dumps({"arch2infos": infos}, protocol=4), 1))
    with pytest.raises(ValueError, match="1 cells have no cifar100_test_accuracy_12_epochs, the first with index 5"):
        benchmark.read(path)
