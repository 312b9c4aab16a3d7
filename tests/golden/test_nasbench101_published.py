"""A table of NAS-Bench-101 itself, where it is at hand: hashes, sizes and the restricted space."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from nas_core.benchmarks.nasbench101 import build
from nas_core.data.nasbench101_table import TableRow, read
from nas_core.evaluation import Proposal
from nas_core.networks.vertex_network import VertexNetwork
from nas_core.objectives import Objective
from nas_core.spaces import nasbench101
from nas_core.task import TaskShape
from nas_core.variation import mutate, sample


@pytest.fixture(scope="module")
def path() -> Path:
    """A part of the published table, in NAS_TABLES_ROOT or the folder `tables` of NAS_DATA_ROOT."""
    roots = [
        os.environ.get("NAS_TABLES_ROOT"),
        os.environ.get("NAS_DATA_ROOT") and os.environ["NAS_DATA_ROOT"] + "/tables",
    ]
    for root in roots:
        if root and (found := Path(root, "nasbench101_20k.csv.gz")).is_file():
            return found
    pytest.skip("no nasbench101_20k.csv.gz in NAS_TABLES_ROOT or NAS_DATA_ROOT/tables")


@pytest.fixture(scope="module")
def rows(path: Path) -> list[TableRow]:
    return read(path)


def test_hashes_are_the_published_ones_in_any_order_of_vertices(rows: list[TableRow]) -> None:
    for row in rows[::40]:
        assert row.cell.pruned() == row.cell
        assert row.cell.module_hash() == row.module_hash
        assert row.cell.canonical().module_hash() == row.module_hash


def test_networks_have_the_published_number_of_parameters(rows: list[TableRow]) -> None:
    small = [row for row in rows if row.cell.num_vertices <= 4]
    for row in [*small, *rows[::1000]]:
        with torch.device("meta"):
            network = VertexNetwork(
                TaskShape((3, 32, 32), (10,)), row.cell, channels=128, num_stages=3, cells_per_stage=3
            )
        assert sum(parameter.numel() for parameter in network.parameters()) == row.num_parameters


def test_the_restricted_space_stays_in_the_table(path: Path, rows: list[TableRow]) -> None:
    space = nasbench101.build(table=str(path))
    table = build(path, space, [Objective("validation_accuracy", "maximize")])
    generator = np.random.default_rng(0)
    members = [sample(space, generator) for _ in range(20)]
    members += [mutate(space, member, generator) for member in members]
    assert all(evaluation.failure is None for evaluation in table.evaluate([Proposal(member) for member in members]))
    # every network has one member
    whole = nasbench101.build()
    assert len({whole.canonical(member) for member in space.members()[:300]}) == 300
    assert len(space.members()) == len(rows)
