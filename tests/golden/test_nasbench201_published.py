"""Published numbers of NAS-Bench-201, and the table itself where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from nas_core.architecture import Architecture
from nas_core.benchmarks.nasbench201 import build, skeleton_flops, skeleton_parameters
from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.spaces import nasbench201
from nas_core.table_evaluator import TableEvaluator
from nas_core.task import TaskShape
from nas_core.training.measurement import flops, num_parameters

SPACE = nasbench201.build()
CLASSIFIER_BIASES = {10: 10, 100: 100}
"""The benchmark's own count holds the classifier's biases; ours counts matrix products and convolutions alone."""


def cell(*decisions: int) -> Architecture:
    return Architecture("nasbench201", decisions)


# Least and greatest parameters (millions) and multiply-accumulates (millions) that the benchmark's own file holds.
PUBLISHED = [
    pytest.param(cell(0, 0, 0, 0, 0, 0), 10, 73_306, 7_783_050, id="least, CIFAR-10"),
    pytest.param(cell(3, 3, 3, 3, 3, 3), 10, 1_531_546, 220_119_690, id="greatest, CIFAR-10"),
    pytest.param(cell(0, 0, 0, 0, 0, 0), 100, 79_156, 7_788_900, id="least, CIFAR-100"),
    pytest.param(cell(3, 3, 3, 3, 3, 3), 100, 1_537_396, 220_125_540, id="greatest, CIFAR-100"),
]


@pytest.mark.parametrize(("architecture", "num_classes", "parameters", "macs"), PUBLISHED)
def test_networks_have_the_published_size(
    architecture: Architecture, num_classes: int, parameters: int, macs: int
) -> None:
    network = SPACE.network(architecture, TaskShape((3, 32, 32), (num_classes,)), torch.Generator().manual_seed(0))
    assert num_parameters(network) == parameters
    assert flops(network, torch.zeros(1, 3, 32, 32)) // 2 + CLASSIFIER_BIASES[num_classes] == macs


def test_one_convolution_on_an_edge_by_hand() -> None:
    # Five cells in stages of 16, 32 and 64 channels, on 32 x 32, 16 x 16 and 8 x 8 pixels:
    # 5 * (9 * (256 + 1024 + 4096) + 2 * (16 + 32 + 64)) = 243,040 and 5 * 9 * 3 * 262,144 = 35,389,440.
    assert skeleton_parameters([3], 10) - skeleton_parameters([], 10) == 243_040
    assert skeleton_flops([3], 10) - skeleton_flops([], 10) == 2 * 35_389_440
    # 5 * (5,376 + 224) = 28,000 and 5 * 3 * 262,144 = 3,932,160.
    assert skeleton_parameters([1], 10) - skeleton_parameters([], 10) == 28_000
    assert skeleton_flops([1], 10) - skeleton_flops([], 10) == 2 * 3_932_160


@pytest.mark.parametrize("decisions", [(3, 3, 3, 1, 3, 2), (2, 4, 0, 1, 2, 3), (0, 0, 0, 0, 0, 0)])
@pytest.mark.parametrize("num_classes", [10, 100])
def test_the_formula_counts_what_the_network_has(decisions: tuple[int, ...], num_classes: int) -> None:
    network = SPACE.network(cell(*decisions), TaskShape((3, 32, 32), (num_classes,)), torch.Generator().manual_seed(0))
    sizes = [{2: 1, 3: 3}[decision] for decision in decisions if decision in (2, 3)]
    assert skeleton_parameters(sizes, num_classes) == num_parameters(network)
    assert skeleton_flops(sizes, num_classes) == flops(network, torch.zeros(1, 3, 32, 32))


@pytest.fixture(scope="module")
def table_path() -> Path:
    """The published table, in NAS_TABLES_ROOT or the folder `tables` of NAS_DATA_ROOT."""
    roots = [
        os.environ.get("NAS_TABLES_ROOT"),
        os.environ.get("NAS_DATA_ROOT") and os.environ["NAS_DATA_ROOT"] + "/tables",
    ]
    for root in roots:
        if root and (path := Path(root, "nasbench201_accuracy.csv.gz")).is_file():
            return path
    pytest.skip("no nasbench201_accuracy.csv.gz in NAS_TABLES_ROOT or NAS_DATA_ROOT/tables")


@pytest.fixture(scope="module")
def table(table_path: Path) -> TableEvaluator:
    return build(table_path, SPACE, [Objective("validation_accuracy", "maximize")])


def test_canonical_forms_are_the_classes_of_the_table(table_path: Path) -> None:
    import csv
    import gzip

    with gzip.open(table_path, "rt") as stream:
        rows = list(csv.DictReader(stream))
    pairs = {(row["iso_class"], SPACE.canonical(SPACE.from_name(row["arch"]))) for row in rows}
    assert len(rows) == 15_625
    assert len(pairs) == len({iso_class for iso_class, _ in pairs}) == len({form for _, form in pairs}) == 6_466


def test_names_and_decisions_agree_with_the_table(table_path: Path) -> None:
    import csv
    import gzip

    with gzip.open(table_path, "rt") as stream:
        for row in csv.DictReader(stream):
            decisions = tuple(int(row[f"op{source}{target}"]) for source, target in nasbench201.EDGES)
            assert SPACE.from_name(row["arch"]).decisions == decisions
            assert SPACE.to_name(cell(*decisions)) == row["arch"]


def test_the_best_cell_and_the_residual_block(table: TableEvaluator) -> None:
    best = table.report(
        SPACE.from_name(
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
        )
    )
    assert best["index"] == 6111
    assert best["test_accuracy"] == pytest.approx(0.943733, abs=1e-6)
    assert best["num_parameters"] == 1_073_466
    # The paper gives its ResNet 93.97 % on CIFAR-10, of runs of its own; the table's own runs come within 0.1 points.
    residual = table.report(SPACE.reference())
    assert residual["index"] == 11472
    assert residual["test_accuracy"] == pytest.approx(0.9397, abs=1e-3)


def test_every_cell_is_found(table: TableEvaluator) -> None:
    choices = SPACE.choices
    architecture = cell(*(len(choice.options) - 1 for choice in choices))
    assert table.evaluate([Proposal(architecture)])[0].failure is None
