"""How well predictors rank architectures that they have not seen, by the number of examples they learnt from.

`python -m benchmarks.predictors [--tables FOLDER] [--benchmarks nasbench201-cifar10 ...] [--protocols search full]
[--predictors random_forest ...] [--sizes 16 50 ...] [--draws 10] [--seconds 60]`. The folder has the files that
`benchmarks.tabular_loading` reads; without --tables it is the one that NAS_TABLES_ROOT names.

Two protocols. `search`: examples have what a search may see, and the order of the others is compared with that of
their test accuracies after full trainings. `full`: examples have test accuracies after full trainings as well. Cells of
a network among the examples are not predicted, where cells are one network if they have one canonical form or, up to
the order of vertices, one graph, in which what reaches no output is left out. A draw is the same for all predictors.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.fidelity import rank_correlations
from benchmarks.figures import Cell, Table, command_line, measured
from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.encodings import graphs, one_hot, paths, tensors
from nas_core.evaluation import Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import HasCellGraph, HasFeatureTensor, HasPathEncoding, SearchSpace
from nas_core.table_evaluator import TableEvaluator

Array = NDArray[np.float64]
Encode = Callable[[Sequence[Architecture]], Array]

ACCURACY = Objective("validation_accuracy", "maximize")
PREDICTORS = (*catalog.names("predictor"), "gnn_space.predictors.graph_network")
PROTOCOLS = ("full", "search")
SIZES = (16, 50, 100, 200, 424, 1000)
FLOOR = {16: 0.261, 50: 0.386, 100: 0.450, 200: 0.536, 424: 0.640, 1000: 0.714}
"""Kendall's tau of a random forest on one-hot cells of NAS-Bench-201 on CIFAR-10, both by full trainings, by size."""


@dataclass(frozen=True)
class Source:
    """A table and what of it is learnt and predicted.

    Attributes:
        benchmark: name of the plug-in.
        space: name of the plug-in.
        data_set: whose measurements to use.
        file: in the folder of tables.
        measurement: what counts after a full training, as the table reports it.
        protocols: that differ on it.
        floor: least tau by the number of examples, with full trainings; none for most.
    """

    benchmark: str
    space: str
    data_set: str
    file: str
    measurement: str = "test_accuracy"
    protocols: tuple[str, ...] = PROTOCOLS
    floor: bool = False


SOURCES = {
    "nasbench201-cifar10": Source("nasbench201", "nasbench201", "cifar10", "nasbench201_accuracy.csv.gz", floor=True),
    "nasbench201-cifar100": Source("nasbench201", "nasbench201", "cifar100", "nasbench201_accuracy.csv.gz"),
    "nasbench101": Source(
        "nasbench101",
        "nasbench101",
        "cifar10",
        "nasbench101_20k.csv.gz",
        "validation_accuracy_108_epochs",
        protocols=("full",),
    ),
    "nasbench_graph-cora": Source(
        "gnn_space.benchmarks.nasbench_graph", "gnn_space.nasbench_graph", "cora", "nasbench_graph.npz"
    ),
}


@dataclass(frozen=True)
class Cells:
    """All rows of a table.

    Attributes:
        drawn: the architectures, as the table lists them.
        networks: their canonical forms.
        groups: the number of the network of each row; the same for canonical forms that are one graph.
        seen: costs that a search may see, (num_rows,).
        final: costs after full trainings, (num_rows,).
    """

    drawn: Sequence[Architecture]
    networks: Sequence[Architecture]
    groups: Sequence[int]
    seen: Array
    final: Array


@dataclass(frozen=True)
class Contender:
    """A predictor with what it sees.

    Attributes:
        name: of the plug-in.
        encoding: in words.
        encode: architectures -> features.
        is_raw: whether cells are encoded as drawn, not by canonical form; then other cells of one network count as
            not seen, as where nobody knows which cells are one network.
    """

    name: str
    encoding: str
    encode: Encode
    is_raw: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    root = os.environ.get("NAS_TABLES_ROOT")
    parser = command_line("predictors", __doc__.partition("\n")[0])
    parser.add_argument("--tables", type=Path, default=Path(root) if root else None)
    parser.add_argument("--benchmarks", nargs="+", choices=list(SOURCES), default=list(SOURCES))
    parser.add_argument("--protocols", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS))
    parser.add_argument("--predictors", nargs="+", default=list(PREDICTORS))
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES), help="numbers of examples")
    parser.add_argument("--held-out", type=int, default=1000, help="cells whose order is predicted")
    parser.add_argument("--draws", type=int, default=10, help="of examples and cells, at most")
    parser.add_argument("--least-draws", type=int, default=3, help="that are made even if they take longer; at least 2")
    parser.add_argument("--seconds", type=float, default=60.0, help="for the draws of one size and predictor")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args(arguments)
    if chosen.tables is None:
        parser.error("give --tables, or name the folder in NAS_TABLES_ROOT")
    settings: dict[str, Cell] = {
        name: getattr(chosen, name) for name in ("held_out", "draws", "least_draws", "seconds", "seed")
    }
    measured(lambda: list(_tables(chosen)), settings, as_json=chosen.json)
    return 0


def _tables(chosen: Any) -> Iterator[Table]:
    importlib.import_module("torch")  # so that no fit pays for it
    for name in chosen.benchmarks:
        source = SOURCES[name]
        if not (chosen.tables / source.file).is_file():
            continue
        space: SearchSpace = catalog.load("space", source.space).build()
        cells = read(source, space, chosen.tables)
        for protocol in chosen.protocols:
            if protocol in source.protocols:
                yield _ranking(name, protocol, space, cells, chosen)


def read(source: Source, space: SearchSpace, folder: Path) -> Cells:
    """Return all rows of a table; ValueError if one was not measured."""
    benchmark = catalog.load("benchmark", source.benchmark)
    table: TableEvaluator = benchmark.build(folder / source.file, space, [ACCURACY], data_set=source.data_set)
    drawn = table.architectures()
    evaluations = table.evaluate([Proposal(architecture) for architecture in drawn])
    seen = -np.array([evaluation.scores[ACCURACY.name] for evaluation in evaluations])
    final = -np.array([table.report(architecture)[source.measurement] for architecture in drawn])
    if not np.isfinite([seen, final]).all():
        raise ValueError(f"{source.file} has rows without a number; give one that was measured in full")
    networks = [space.canonical(architecture) for architecture in drawn]
    return Cells(drawn, networks, groups(space, networks), seen, final)


def groups(space: SearchSpace, networks: Sequence[Architecture]) -> list[int]:
    """Return a number for each canonical form, the same for those that are one graph up to the order of vertices.

    Graphs are compared by the colors of Weisfeiler and Leman (1968), which may hold two graphs for one but never one
    for two, so that nothing is predicted that was learnt.
    """
    forms = list(dict.fromkeys(networks))
    names: list[object] = list(forms)
    if isinstance(space, HasCellGraph):
        names = [_colors(graph) for graph in graphs(space, forms)]
    numbers: dict[object, int] = {}
    number_of = {form: numbers.setdefault(name, len(numbers)) for form, name in zip(forms, names, strict=True)}
    return [number_of[network] for network in networks]


def _colors(graph: Array) -> tuple[int, ...]:
    """Return the refined colors of a graph's vertices in their order by size, so that the vertices' own is lost."""
    num_vertices = len(graph)
    edges, labels = graph[:, :num_vertices] > 0, graph[:, num_vertices:]
    used = np.flatnonzero(labels.sum(axis=1)).tolist()
    after = {vertex: np.flatnonzero(edges[vertex]).tolist() for vertex in used}
    before = {vertex: np.flatnonzero(edges[:, vertex]).tolist() for vertex in used}
    colors = {vertex: int(labels[vertex].argmax()) for vertex in used}
    for _ in used:
        colors = {
            vertex: hash(
                (
                    colors[vertex],
                    tuple(sorted(colors[other] for other in after[vertex])),
                    tuple(sorted(colors[other] for other in before[vertex])),
                )
            )
            for vertex in used
        }
    return tuple(sorted(colors.values()))


def contenders(space: SearchSpace, names: Sequence[str]) -> list[Contender]:
    """Return every predictor with every encoding of the space that it takes, the forest on raw cells included."""

    def vectors(architectures: Sequence[Architecture]) -> Array:
        return one_hot(space.choices, architectures)

    found = []
    for name in names:
        module: ModuleType = catalog.load("predictor", name)
        takes = getattr(module, "ENCODING", None)
        if takes == "tensor" and isinstance(space, HasFeatureTensor):
            found.append(Contender(name, takes, lambda each, space=space: tensors(space, each)))
        if takes == "graph" and isinstance(space, HasCellGraph):
            found.append(Contender(name, takes, lambda each, space=space: graphs(space, each)))
        if takes is None:
            if name == "random_forest":
                found.append(Contender(name, "one_hot, raw", vectors, is_raw=True))
            found.append(Contender(name, "one_hot", vectors))
            if isinstance(space, HasPathEncoding):
                found.append(Contender(name, "path", lambda each, space=space: paths(space, each)))
    return found


def split(
    generator: np.random.Generator, networks: Sequence[int], num_examples: int, num_held_out: int
) -> tuple[list[int], list[int]]:
    """Return random rows to learn from, and random rows of other networks, fewer than asked if there are no more.

    Args:
        generator: source of the order; a larger number of examples adds to a smaller one.
        networks: the number of the network of each row.
        num_examples: rows to learn from.
        num_held_out: rows to predict.
    """
    order = generator.permutation(len(networks)).tolist()
    examples, others = order[:num_examples], order[num_examples:]
    known = {networks[row] for row in examples}
    return examples, [row for row in others if networks[row] not in known][:num_held_out]


def _ranking(name: str, protocol: str, space: SearchSpace, cells: Cells, chosen: Any) -> Table:
    rows: list[tuple[Cell, ...]] = []
    costs = cells.seen if protocol == "search" else cells.final
    has_floor = SOURCES[name].floor and protocol == "full"
    for size in chosen.sizes:
        for contender in contenders(space, chosen.predictors):
            if contender.is_raw and len(set(cells.networks)) == len(cells.drawn):  # as drawn is as canonical
                continue
            found = list(_draws(contender, name, cells, costs, size, chosen))
            seconds = fmean(each[2] for each in found)
            floor = FLOOR.get(size) if has_floor else None
            spearman, kendall = (mean_and_interval([each[place] for each in found]) for place in (0, 1))
            rows.append((size, contender.name, contender.encoding, len(found), *kendall, floor, *spearman, seconds))
            print(name, protocol, *rows[-1], file=sys.stderr, flush=True)
    return Table(
        f"{name}, protocol {protocol!r}: rank correlations with what was not seen, 95 % intervals over draws",
        ("examples", "predictor", "encoding", "draws", "kendall", "+-", "floor", "spearman", "+-", "seconds"),
        tuple(rows),
    )


def _draws(
    contender: Contender, name: str, cells: Cells, costs: Array, size: int, chosen: Any
) -> Iterator[tuple[float, float, float]]:
    """Yield Spearman's and Kendall's correlation and the seconds of fit and prediction, for each draw."""
    module = catalog.load("predictor", contender.name)
    encoded, told_apart = cells.networks, cells.groups
    if contender.is_raw:
        encoded, told_apart = cells.drawn, range(len(cells.drawn))
    begin = time.perf_counter()
    for draw in range(chosen.draws):
        if draw >= chosen.least_draws and time.perf_counter() - begin > chosen.seconds:
            return
        streams = Streams(chosen.seed).child(name).child(f"draw {draw}")
        examples, others = split(streams.numpy("rows"), told_apart, size, chosen.held_out)
        features = contender.encode([encoded[row] for row in (*examples, *others)])
        start = time.perf_counter()
        predictor = module.build(streams.child("predictor"))
        predictor.fit(features[: len(examples)], costs[examples])
        predicted, _ = predictor.predict(features[len(examples) :])
        seconds = time.perf_counter() - start
        if not np.isfinite(predicted).all():
            raise ValueError(f"{contender.name} predicts {predicted[~np.isfinite(predicted)][0]} from {size} examples")
        yield *rank_correlations(predicted, cells.final[others]), seconds


def mean_and_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and the half width of its 95 % interval, by Student's t; at least 2 values."""
    from scipy import stats

    spread = stdev(values) / len(values) ** 0.5
    return fmean(values), float(stats.t.ppf(0.975, len(values) - 1)) * spread


if __name__ == "__main__":
    sys.exit(main())
