"""How fast the search loop is, and how good strategies are, on the table of NAS-Bench-201.

`python -m benchmarks.tabular_search --table PATH [--repetitions 500] [--queries 100] [--bananas 20]`; without --table
the file `nasbench201_accuracy.csv.gz` in the folder that NAS_TABLES_ROOT names. A search chooses by the validation
accuracy after 12 epochs; the test accuracy after 200 epochs of what it recommends is looked up once it has ended.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypeVar

from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.benchmarks import nasbench201 as benchmark
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.search import Budget, Search
from nas_core.spaces import nasbench201 as cells
from nas_core.strategy import Strategy
from nas_core.table_evaluator import TableEvaluator
from tasks.settings.document import read

FILE_NAME = "nasbench201_accuracy.csv.gz"
ACCURACY = Objective("validation_accuracy", "maximize")
SPACE = cells.build()
COMPARISONS = Path(__file__).with_name("compare.yaml")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Contender:
    """A strategy with its settings, and how many proposals it gives a round."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    round_size: int = 1

    @property
    def words(self) -> str:
        """The settings as a person writes them."""
        return ", ".join(f"{name} {value}" for name, value in self.settings.items())

    def strategy(self, seed: int) -> Strategy:
        """Return the strategy, fresh."""
        streams = Streams(seed).child("strategy")
        built: Strategy = catalog.load("strategy", self.name).build(SPACE, (ACCURACY,), streams, **self.settings)
        return built


EVOLUTION = Contender("regularized_evolution", {"population_size": 10, "tournament_size": 3})
CONTENDERS = (
    Contender("random_search"),
    EVOLUTION,
    Contender("reinforce", {"controller_settings": {"learning_rate": 0.01}}),
    Contender("reinforce", {"controller_settings": {"learning_rate": 0.1}}),
)
BANANAS = Contender("bananas", round_size=10)


class Stopwatch:
    """Wall-clock and processor seconds, by name of what they were spent on."""

    def __init__(self) -> None:
        self.wall_seconds: dict[str, float] = {}
        self.processor_seconds: dict[str, float] = {}

    @contextmanager
    def on(self, name: str) -> Iterator[None]:
        """Add what passes within a ``with`` block."""
        wall, processor = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall_seconds[name] = self.wall_seconds.get(name, 0.0) + time.perf_counter() - wall
            self.processor_seconds[name] = self.processor_seconds.get(name, 0.0) + time.process_time() - processor


class Timed:
    """A strategy and an evaluator in one, which pass every call on and time it."""

    def __init__(self, strategy: Strategy, evaluator: Evaluator, seconds: dict[str, float]) -> None:
        self._strategy = strategy
        self._evaluator = evaluator
        self._seconds = seconds

    def ask(self, count: int) -> list[Proposal]:
        """Return the strategy's proposals."""
        return self._timed("ask", lambda: self._strategy.ask(count))

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Tell the strategy."""
        self._timed("tell", lambda: self._strategy.tell(evaluations))

    def recommend(self) -> Architecture:
        """Return the strategy's recommendation."""
        return self._strategy.recommend()

    def prepare(self, strategy: Strategy) -> None:
        """Prepare the evaluator."""
        self._timed("evaluate", lambda: self._evaluator.prepare(strategy))

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        """Return the evaluator's evaluations."""
        return self._timed("evaluate", lambda: self._evaluator.evaluate(proposals))

    def state_dict(self) -> dict[str, Any]:
        """Return the strategy's state; that of a table is empty."""
        return self._strategy.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Give the strategy its state."""
        self._strategy.load_state_dict(state)

    def _timed(self, name: str, call: Callable[[], Value]) -> Value:
        start = time.perf_counter()
        value = call()
        self._seconds[name] += time.perf_counter() - start
        return value


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    root = os.environ.get("NAS_TABLES_ROOT")
    parser = command_line("tabular_search", __doc__.partition("\n")[0])
    parser.add_argument("--table", type=Path, default=Path(root) / FILE_NAME if root else None)
    parser.add_argument("--repetitions", type=int, default=500, help="of each search, at least 2")
    parser.add_argument("--queries", type=int, default=100, help="evaluations a search")
    parser.add_argument("--bananas", type=int, default=0, help="repetitions of bananas, which is slow; 0 for none")
    parser.add_argument("--data-set", choices=sorted(benchmark.PREFIXES), default="cifar10")
    chosen = parser.parse_args(arguments)
    if chosen.table is None:
        parser.error(f"give --table, or put {FILE_NAME} into the folder that NAS_TABLES_ROOT names")
    if chosen.repetitions < 2 or chosen.bananas == 1:
        parser.error("a spread takes 2 repetitions or more")
    settings: dict[str, Cell] = {
        "repetitions": chosen.repetitions,
        "queries": chosen.queries,
        "data_set": chosen.data_set,
    }
    measured(lambda: _tables(chosen), settings, as_json=chosen.json)
    return 0


def _tables(chosen: Any) -> list[Table]:
    stopwatch = Stopwatch()
    with stopwatch.on("import torch, which checkpoints need"):
        importlib.import_module("torch")
    with stopwatch.on("read the table"):
        table = benchmark.build(chosen.table, SPACE, (ACCURACY,), data_set=chosen.data_set)
    return [
        _speed(table, chosen.repetitions, chosen.queries, stopwatch),
        _parts(table, chosen.repetitions, chosen.queries),
        _accuracy(table, chosen),
    ]


def _speed(table: Evaluator, repetitions: int, queries: int, stopwatch: Stopwatch) -> Table:
    """Return how long regularized evolution takes in the real loop: in memory, and kept on disk."""
    in_memory = f"in memory, {repetitions} x {queries}"
    with stopwatch.on(in_memory):
        for seed in range(repetitions):
            _play(Search(EVOLUTION.strategy(seed), table), Budget(queries))
    for round_size in (1, 10):
        with (
            tempfile.TemporaryDirectory(prefix="tabular-search-") as folder,
            stopwatch.on(f"archive and checkpoint, rounds of {round_size}"),
        ):
            for seed in range(repetitions):
                search = _kept(EVOLUTION.strategy(seed), table, Path(folder), seed)
                _play(search, Budget(queries, round_size))
                search.archive.close()
    return Table(
        "regularized_evolution (population 10, tournament 3) through the loop",
        ("what", "seconds", "processor seconds"),
        tuple((name, seconds, stopwatch.processor_seconds[name]) for name, seconds in stopwatch.wall_seconds.items()),
    )


def _parts(table: Evaluator, repetitions: int, queries: int) -> Table:
    """Return where the time goes; appending is timed by putting the same rounds into new archives."""
    seconds = dict.fromkeys(("ask", "evaluate", "tell"), 0.0)
    start = time.perf_counter()
    archives = []
    for seed in range(repetitions):
        timed = Timed(EVOLUTION.strategy(seed), table, seconds)
        search = Search(timed, timed)
        _play(search, Budget(queries))
        archives.append(search.archive)
    total = time.perf_counter() - start
    seconds["append, in memory"] = _append_again(archives, None)
    seconds["the loop itself, with these clocks"] = total - sum(seconds.values())
    with tempfile.TemporaryDirectory(prefix="tabular-search-") as folder:
        seconds["append, on disk"] = _append_again(archives, Path(folder))
        seconds["a checkpoint at the end"] = _save(EVOLUTION, table, Path(folder), repetitions)
    num_queries = sum(archive.num_evaluations for archive in archives)
    return Table(
        f"where the time goes in {num_queries} rounds of one",
        ("part", "seconds", "microseconds a query"),
        tuple((name, spent, 1e6 * spent / num_queries) for name, spent in seconds.items()),
    )


def _append_again(archives: Sequence[Archive], folder: Path | None) -> float:
    """Return the seconds that it takes to put all rounds into new archives, in a folder or in memory."""
    start = time.perf_counter()
    for number, archive in enumerate(archives):
        fresh = Archive(None if folder is None else folder / f"{number}.jsonl")
        for finished in archive.rounds:
            fresh.append(finished)
        fresh.close()
    return time.perf_counter() - start


def _save(contender: Contender, table: Evaluator, folder: Path, repetitions: int) -> float:
    """Return the seconds that as many checkpoints take, of searches that have played one round."""
    seconds = 0.0
    for seed in range(repetitions):
        search = Search(
            contender.strategy(seed), table, None, CheckpointFile(folder / f"{seed}.pt"), checkpoint_seconds=1e9
        )
        search.run_round(10)
        start = time.perf_counter()
        search.save()
        seconds += time.perf_counter() - start
    return seconds


def _accuracy(table: TableEvaluator, chosen: Any) -> Table:
    contenders = [(contender, chosen.repetitions) for contender in CONTENDERS]
    if chosen.bananas:
        contenders.append((BANANAS, chosen.bananas))
    published = _published(chosen.data_set)
    rows: list[tuple[Cell, ...]] = []
    for contender, repetitions in contenders:
        start = time.perf_counter()
        reached = []
        for seed in range(repetitions):
            search = Search(contender.strategy(seed), table)
            _play(search, Budget(chosen.queries, contender.round_size))
            reached.append(100.0 * table.report(search.strategy.recommend())["test_accuracy"])
        mean, spread = published.get(contender.name, (None, None))
        seconds = (time.perf_counter() - start) / repetitions
        rows.append(
            (
                contender.name,
                contender.words,
                repetitions,
                round(fmean(reached), 2),
                round(stdev(reached), 2),
                mean,
                spread,
                seconds,
            )
        )
    return Table(
        f"{chosen.data_set}, % test after 200 epochs of the choice by 12-epoch validation, beside 500 published runs "
        "of 12,000 s (arXiv:2001.00326)",
        ("strategy", "settings", "repetitions", "mean", "std", "published", "std", "seconds a search"),
        tuple(rows),
    )


def _published(data_set: str) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation, in percent, that the benchmark's paper gives for a strategy, by name."""
    entry = read(COMPARISONS)["compare"]["nasbench201"]["benchmarks"][data_set]["published"][0]
    return {name: (100 * value["mean"], 100 * value["standard_deviation"]) for name, value in entry["values"].items()}


def _kept(strategy: Strategy, table: Evaluator, folder: Path, seed: int) -> Search:
    """Return a search as the stage `search` builds it: with an archive and a checkpoint on disk."""
    archive = Archive(folder / f"archive-{seed}.jsonl", {"search": "regularized_evolution", "seed": seed})
    return Search(strategy, table, archive, CheckpointFile(folder / f"checkpoint-{seed}.pt"))


def _play(search: Search, budget: Budget) -> None:
    for _ in search.rounds(budget):
        pass


if __name__ == "__main__":
    sys.exit(main())
