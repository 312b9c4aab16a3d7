"""What the published tables hold, where they are at hand, and that a compact table is what it was made of."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.benchmarks import nasbench201
from nas_core.data import benchmark_table, nasbench201_table
from nas_core.data.benchmark_table import BenchmarkTable
from nas_core.evaluation import Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.variation import sample

ACCURACY = Objective("validation_accuracy", "maximize")
DEVICES = (
    *(f"{gpu}_{batch}" for gpu in ("1080ti", "2080ti") for batch in (1, 256, 32)),
    *("essential_ph_1", "eyeriss", "gold_6226", "gold_6240", "pixel3", "samsung_a50", "samsung_s7"),
    *("silver_4114", "silver_4210r"),
    *(f"{gpu}_{batch}" for gpu in ("titanx", "titanxp") for batch in (1, 256, 32)),
)
PATHS = ((3,), (0, 4), (1, 5), (0, 2, 5))
"""The paths from the input to the output of a cell of NAS-Bench-201, as edges."""


def published(name: str) -> Path:
    """A table in NAS_TABLES_ROOT or the folder `tables` of NAS_DATA_ROOT."""
    for root in (
        os.environ.get("NAS_TABLES_ROOT"),
        os.environ.get("NAS_DATA_ROOT") and os.environ["NAS_DATA_ROOT"] + "/tables",
    ):
        if root and (path := Path(root, name)).is_file():
            return path
    pytest.skip(f"no {name} in NAS_TABLES_ROOT or NAS_DATA_ROOT/tables")


@pytest.fixture(scope="module")
def cells() -> BenchmarkTable:
    latencies = published("nasbench201_latency_ms.csv.gz")
    return nasbench201.read(published("nasbench201_accuracy.csv.gz"), latency_path=latencies)


def test_nasbench201_was_measured_on_21_devices(cells: BenchmarkTable) -> None:
    assert nasbench201_table.devices(cells) == tuple(sorted(DEVICES))
    assert len(DEVICES) == 21


def test_degenerate_latencies_are_those_of_cells_without_a_path(cells: BenchmarkTable) -> None:
    degenerate = cells.columns["pixel3_latency_ms"] < 1
    connected = np.array(
        [any(all(row[edge] for edge in path) for path in PATHS) for row in cells.columns["decisions"].tolist()]
    )
    assert degenerate.sum() == 283
    assert not (degenerate & connected).any()
    assert cells.columns["cifar10_test_accuracy_200_epochs"][degenerate].max() == pytest.approx(0.1)
    others = [cells.columns[f"{device}_latency_ms"].min() for device in DEVICES if device != "pixel3"]
    assert min(others) > 1


def test_a_compact_table_of_nasbench201_is_its_csv_files(cells: BenchmarkTable, tmp_path: Path) -> None:
    path = tmp_path / "table"
    benchmark_table.write(path, cells)
    space = catalog.load("space", "nasbench201").build()
    objectives = [ACCURACY, Objective("cifar100_validation_accuracy", "maximize")]
    proposals = [
        Proposal(Architecture("nasbench201", decisions), fidelity)
        for decisions in itertools.product(range(5), repeat=6)
        for fidelity in (None, Fidelity(200))
    ]
    compact = nasbench201.build(path, space, [*objectives, Objective("pixel3_latency_ms", "minimize")])
    text = nasbench201.build(published("nasbench201_accuracy.csv.gz"), space, objectives)
    for first, second in zip(compact.evaluate(proposals), text.evaluate(proposals), strict=True):
        assert {name: first.scores[name] for name in second.scores} == second.scores
    # 84.892 % is the best validation accuracy after 12 epochs
    assert max(found.scores["validation_accuracy"] for found in text.evaluate(proposals[::2])) == 0.84892


@pytest.mark.parametrize(
    ("benchmark", "space", "data_set", "file"),
    [
        ("nasbench101", "nasbench101", "cifar10", "nasbench101_20k.csv.gz"),
        ("gnn_space.benchmarks.nasbench_graph", "gnn_space.nasbench_graph", "pubmed", "nasbench_graph.npz"),
    ],
)
def test_other_compact_tables_are_what_they_were_made_of(
    benchmark: str, space: str, data_set: str, file: str, tmp_path: Path
) -> None:
    path, module = published(file), catalog.load("benchmark", benchmark)
    benchmark_table.write(tmp_path / "table", module.read(path))
    settings = {"table": str(tmp_path / "table")} if space == "nasbench101" else {}
    members = catalog.load("space", space).build(**settings)
    generator = np.random.default_rng(0)
    proposals = [Proposal(sample(members, generator)) for _ in range(300)]
    objectives = [ACCURACY, Objective("num_parameters", "minimize")]
    compact, text = (module.build(each, members, objectives, data_set=data_set) for each in (tmp_path / "table", path))
    assert compact.evaluate(proposals) == text.evaluate(proposals)
    assert all(found.failure is None for found in text.evaluate(proposals))
    assert compact.report(proposals[0].architecture) == text.report(proposals[0].architecture)
