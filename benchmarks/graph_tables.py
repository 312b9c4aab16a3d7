"""How good strategies are on NAS-Bench-Graph, and how far the best by validation is from the best by test.

`python -m benchmarks.graph_tables --table PATH [--repetitions 100] [--queries 100] [--bananas 20]`; without --table the
file `nasbench_graph.npz` in the folder that NAS_TABLES_ROOT names. A search chooses by validation accuracy; the test
accuracy of what it recommends is looked up once it has ended. On proteins accuracies are areas under the ROC curve.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from types import MappingProxyType
from typing import Any

import numpy as np

from benchmarks.figures import Cell, Table, command_line, measured
from gnn_space import nasbench_graph as graphs
from gnn_space.benchmarks import nasbench_graph as benchmark
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.search import Budget, Search
from nas_core.strategy import Strategy
from nas_core.table_evaluator import TableEvaluator

FILE_NAME = "nasbench_graph.npz"
ACCURACY = Objective("validation_accuracy", "maximize")
SPACES: Mapping[benchmark.DataSet, graphs.NASBenchGraph] = MappingProxyType(
    {
        **dict.fromkeys(benchmark.NUM_ARCHITECTURES, graphs.build()),
        "proteins": graphs.build(operations=("gcn", "sage", "arma", "fc", "identity")),
    }
)
"""The space of each data set: on proteins, of the operations that the benchmark has there."""

UPPER_SHARE = 0.05
"""The best part by validation, within which the correlation is measured too."""


@dataclass(frozen=True)
class Contender:
    """A strategy with its settings, and how many proposals it gives a round."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    round_size: int = 1

    @property
    def words(self) -> str:
        """The strategy and its settings as a person writes them."""
        return ", ".join([self.name, *(f"{name} {value}" for name, value in self.settings.items())])

    def strategy(self, data_set: benchmark.DataSet, seed: int) -> Strategy:
        """Return the strategy, fresh."""
        streams = Streams(seed).child("strategy")
        build = catalog.load("strategy", self.name).build
        built: Strategy = build(SPACES[data_set], (ACCURACY,), streams, **self.settings)
        return built


CONTENDERS = (
    Contender("random_search"),
    Contender("regularized_evolution", {"population_size": 10, "tournament_size": 3}),
    Contender("reinforce", {"controller_settings": {"learning_rate": 0.1}}),
)
BANANAS = Contender("bananas", round_size=10)


@dataclass(frozen=True)
class Measured:
    """All networks of a data set, the best by validation first.

    Attributes:
        names: of their canonical forms.
        validation: accuracies (num_networks,).
        test: accuracies (num_networks,).
    """

    names: tuple[str, ...]
    validation: np.ndarray[Any, np.dtype[np.float64]]
    test: np.ndarray[Any, np.dtype[np.float64]]

    def rank(self, test_accuracy: float) -> int:
        """Return the rank of a test accuracy among all; 1 is the best."""
        return int((self.test > test_accuracy).sum()) + 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    root = os.environ.get("NAS_TABLES_ROOT")
    parser = command_line("graph_tables", __doc__.partition("\n")[0])
    parser.add_argument("--table", type=Path, default=Path(root) / FILE_NAME if root else None)
    parser.add_argument("--repetitions", type=int, default=100, help="of each search, at least 2")
    parser.add_argument("--queries", type=int, default=100, help="evaluations a search")
    parser.add_argument("--bananas", type=int, default=0, help="repetitions of bananas, which is slow; 0 for none")
    parser.add_argument("--data-set", choices=list(SPACES), action="append", help="may be repeated; without it, all")
    chosen = parser.parse_args(arguments)
    if chosen.table is None:
        parser.error(f"give --table, or put {FILE_NAME} into the folder that NAS_TABLES_ROOT names")
    if chosen.repetitions < 2 or chosen.bananas == 1:
        parser.error("a spread takes 2 repetitions or more")
    settings: dict[str, Cell] = {"repetitions": chosen.repetitions, "queries": chosen.queries}
    measured(lambda: _tables(chosen), settings, as_json=chosen.json)
    return 0


def _tables(chosen: Any) -> list[Table]:
    data_sets: Sequence[benchmark.DataSet] = chosen.data_set or tuple(SPACES)
    contenders = [(contender, chosen.repetitions) for contender in CONTENDERS]
    if chosen.bananas:
        contenders.append((BANANAS, chosen.bananas))
    gaps: list[tuple[Cell, ...]] = []
    agreements: list[tuple[Cell, ...]] = []
    searches: list[tuple[Cell, ...]] = []
    for data_set in data_sets:
        table = benchmark.build(chosen.table, SPACES[data_set], (ACCURACY,), data_set=data_set)
        everything = _everything(table, data_set)
        gaps += _gap(everything, data_set)
        agreements.append(_agreement(everything, data_set))
        for contender, repetitions in contenders:
            searches.append(_searches(table, everything, data_set, contender, repetitions, chosen.queries))
    return [
        Table(
            "the best by validation, accuracies in %; all of them where several are",
            ("data set", "best by validation", "validation", "test", "best test", "gap", "rank by test", "networks"),
            tuple(gaps),
        ),
        Table(
            f"correlation of validation and test, over all networks and over the best {UPPER_SHARE:.0%} by validation",
            ("data set", "Spearman", "Kendall", "Spearman, best", "Kendall, best"),
            tuple(agreements),
        ),
        Table(
            "searches, accuracies in %: test of the choice by validation",
            ("data set", "strategy", "repetitions", "validation", "test", "std", "gap", "median rank", "seconds each"),
            tuple(searches),
        ),
    ]


def _everything(table: TableEvaluator, data_set: benchmark.DataSet) -> Measured:
    """Return what the table holds of all members of the space, each network once."""
    space = SPACES[data_set]
    decisions = itertools.product(*(range(len(choice.options)) for choice in space.choices))
    members = filter(space.is_valid, (Architecture(space.name, each) for each in decisions))
    networks = sorted({space.canonical(member) for member in members})
    reports = [(space.to_name(network), table.report(network)) for network in networks]
    reports.sort(key=lambda named: -named[1]["validation_accuracy"])
    return Measured(
        tuple(name for name, _ in reports),
        np.array([report["validation_accuracy"] for _, report in reports]),
        np.array([report["test_accuracy"] for _, report in reports]),
    )


def _gap(everything: Measured, data_set: benchmark.DataSet) -> list[tuple[Cell, ...]]:
    """Return a row for each network that is best by validation."""
    best = everything.test.max()
    rows: list[tuple[Cell, ...]] = []
    for name, validation, test in zip(everything.names, everything.validation, everything.test, strict=True):
        if validation < everything.validation[0]:
            break
        accuracies = [round(100.0 * float(value), 2) for value in (validation, test, best, best - test)]
        rows.append((data_set, name, *accuracies, everything.rank(test), len(everything.names)))
    return rows


def _agreement(everything: Measured, data_set: benchmark.DataSet) -> tuple[Cell, ...]:
    """Return correlations over all networks and over the best ones by validation."""
    from scipy.stats import kendalltau, spearmanr

    found: list[Cell] = [data_set]
    for number in (len(everything.names), round(UPPER_SHARE * len(everything.names))):
        for correlation in (spearmanr, kendalltau):
            value = correlation(everything.validation[:number], everything.test[:number]).statistic
            found.append(round(float(value), 2))
    return tuple(found)


def _searches(
    table: TableEvaluator,
    everything: Measured,
    data_set: benchmark.DataSet,
    contender: Contender,
    repetitions: int,
    queries: int,
) -> tuple[Cell, ...]:
    """Return a row for the searches of one strategy on one data set."""
    start = time.perf_counter()
    reports = []
    for seed in range(repetitions):
        search = Search(contender.strategy(data_set, seed), table)
        for _ in search.rounds(Budget(queries, contender.round_size)):
            pass
        reports.append(table.report(search.strategy.recommend()))
    seconds = (time.perf_counter() - start) / repetitions
    tests = [report["test_accuracy"] for report in reports]
    return (
        data_set,
        contender.words,
        repetitions,
        round(100.0 * fmean(report["validation_accuracy"] for report in reports), 2),
        round(100.0 * fmean(tests), 2),
        round(100.0 * stdev(tests), 2),
        round(100.0 * (float(everything.test.max()) - fmean(tests)), 2),
        float(np.median([everything.rank(test) for test in tests])),
        seconds,
    )


if __name__ == "__main__":
    sys.exit(main())
