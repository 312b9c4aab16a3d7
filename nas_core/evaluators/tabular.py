"""The evaluator that looks proposals up in the table of a benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, cast

from annotated_types import Ge, MinLen

from nas_core import catalog
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task
from nas_core.training.compatibility import check_tabulated


def check(space: SearchSpace, strategy: Strategy, objectives: Sequence[Objective]) -> None:
    """Raise a ValueError if the space is in no benchmark, or the strategy learns, for which a table has no weights.

    Which objectives a table holds is for the benchmark to say, in `build`.
    """
    check_tabulated("tabular", space, strategy)


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    load_task: Callable[[], Task],
    *,
    path: Annotated[str, MinLen(1)],
    benchmark: str = "nasbench201",
    data_set: str = "cifar10",
    epochs: Annotated[int, Ge(1)] | None = None,
    latency_path: Annotated[str, MinLen(1)] | None = None,
) -> Evaluator:
    """Return the evaluator of a benchmark; the task is never loaded, and nothing is random.

    Args:
        space: the space of the benchmark.
        objectives: scores that the benchmark holds.
        streams: not used.
        load_task: not used.
        path: the benchmark's file: a compact table that was imported, or one that the benchmark reads besides.
        benchmark: name of a module in `nas_core.benchmarks`, or an import path with a dot.
        data_set: the data set whose measurements to look up.
        epochs: how long the trainings were that a proposal without a fidelity looks up; None for what is usual.
        latency_path: a file of measured latencies, for a benchmark that has them in one of their own.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the benchmark is unknown or has no such setting, or its file, the space or an objective does not
            fit.
    """
    module = catalog.load("benchmark", benchmark)
    known = {setting.name for setting in catalog.settings("benchmark", benchmark)}
    given = {name: value for name, value in (("epochs", epochs), ("latency_path", latency_path)) if value is not None}
    unknown = sorted(given.keys() - known)
    if unknown:
        raise ValueError(f"benchmark {benchmark!r} has no {unknown[0]}; remove that setting")
    return cast(Evaluator, module.build(path, space, objectives, data_set=data_set, **given))
