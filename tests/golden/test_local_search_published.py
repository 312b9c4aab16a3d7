"""Local search on the table of NAS-Bench-201, where it is at hand: choose by 12 epochs, report the test after 200."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import fmean

import pytest

from nas_core.benchmarks import nasbench201 as benchmark
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.spaces import nasbench201
from nas_core.strategies import local_search
from nas_core.table_evaluator import TableEvaluator

SPACE = nasbench201.build()
OBJECTIVES = [Objective("validation_accuracy", "maximize")]
NUM_REPETITIONS = 200


@pytest.fixture(scope="module")
def table() -> TableEvaluator:
    """The published table, in NAS_TABLES_ROOT or the folder `tables` of NAS_DATA_ROOT."""
    roots = [
        os.environ.get("NAS_TABLES_ROOT"),
        os.environ.get("NAS_DATA_ROOT") and os.environ["NAS_DATA_ROOT"] + "/tables",
    ]
    for root in roots:
        if root and (path := Path(root, "nasbench201_accuracy.csv.gz")).is_file():
            return benchmark.build(path, SPACE, OBJECTIVES)
    pytest.skip("no nasbench201_accuracy.csv.gz in NAS_TABLES_ROOT or NAS_DATA_ROOT/tables")


def test_after_100_queries_it_has_what_a_second_implementation_has(table: TableEvaluator) -> None:
    found = []
    for seed in range(NUM_REPETITIONS):
        strategy = local_search.build(SPACE, OBJECTIVES, Streams(seed))
        for _ in range(100):
            strategy.tell(table.evaluate(strategy.ask(1)))
        found.append(table.report(strategy.recommend())["test_accuracy"])
    # a plain loop without states and rounds, written apart from this one, has 94.20 with a standard error of 0.015
    # percent; of 200 repetitions the standard error is 0.02
    assert 100 * fmean(found) == pytest.approx(94.20, abs=0.08)
