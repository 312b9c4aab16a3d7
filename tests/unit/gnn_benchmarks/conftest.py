"""A table of NAS-Bench-Graph that is written here: what Cora's and proteins' networks reached."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gnn_space import nasbench_graph
from gnn_space.operation_tree import canonical_form

COLUMNS = np.array(["valid_perf", "test_perf", "latency_s", "params"])


def rows(operations: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Networks in the order of their hashes; the one with rank i has validation accuracy i / 100,000, test 1 - that."""
    found = set()
    for links in nasbench_graph.LINKS:
        for chosen in itertools.product(operations, repeat=4):
            tree, canonical = canonical_form(links, chosen, 8)
            found.add(int("".join(map(str, (nasbench_graph.LINKS.index(tree), *canonical)))))
    hashes = np.array(sorted(found - {88_888}), np.int32)
    validation = np.arange(len(hashes)) / 100_000
    costs = np.ones(len(hashes))
    return hashes, np.stack([validation, 1 - validation, 0.002 * costs, 0.123456 * costs], axis=1).astype(np.float32)


@pytest.fixture(scope="session")
def arrays() -> dict[str, NDArray[Any]]:
    """The arrays of the file."""
    cora, proteins = rows(tuple(range(9))), rows((1, 4, 5, 7, 8))
    return {
        "columns": COLUMNS,
        "cora_hash": cora[0],
        "cora_table": cora[1],
        "proteins_hash": proteins[0],
        "proteins_table": proteins[1],
    }


@pytest.fixture(scope="session")
def path(arrays: dict[str, NDArray[Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file."""
    path = tmp_path_factory.mktemp("tables") / "nasbench_graph.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path
