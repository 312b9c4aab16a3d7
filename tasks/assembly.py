"""Puts searches together: from checked settings to spaces, objectives, strategies, evaluators and the loop."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from nas_core import catalog
from nas_core.archive import Archive
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluator import Evaluator, HasQuality
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.remembering_evaluator import RememberingEvaluator
from nas_core.screen import Screen
from nas_core.search import Budget, Search
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task
from tasks.settings.parts import ObjectiveSettings, PlugIn
from tasks.settings.plug_ins import checked
from tasks.settings.sections import Settings

COMMON_OBJECTIVES = ("validation_accuracy", "num_parameters", "flops")
"""What candidates of all searches are compared by."""

SHIFTED_ACCURACY = "shifted_validation_accuracy"
ACCURACIES = ("validation_accuracy", SHIFTED_ACCURACY)
OF_A_DATA_SET, ON_A_DEVICE = "_validation_accuracy", "_latency_ms"
"""Endings of what a benchmark measured on several data sets or devices, which it names in front."""

FILE = "params.yaml"


def space(settings: Settings) -> SearchSpace:
    """Return the search space of `search.space`."""
    chosen = settings.search.space
    values = checked(FILE, "search.space", "space", chosen.name, chosen.settings)
    built: SearchSpace = catalog.load("space", chosen.name).build(**values)
    return built


def objectives(settings: Settings, key: str) -> tuple[Objective, ...]:
    """Return the objectives of a search: accuracies are maximized, any other name is a proxy and has its own goal.

    Those of a benchmark may name a data set or a device in front, as ``pixel3_latency_ms``; whether it was measured
    there is for the benchmark to say.

    Raises:
        ValueError: for a name that is neither, or one that stands twice.
    """
    return distinct_objectives(settings.search.strategies[key].objectives or settings.search.objectives)


def screen_objectives(settings: Settings, key: str) -> tuple[Objective, ...]:
    """Return by what a search's candidates are screened; nothing if they are not.

    Raises:
        ValueError: as for `objectives`.
    """
    screen = settings.search.strategies[key].screen
    return () if screen is None else distinct_objectives(screen.objectives)


def distinct_objectives(entries: Sequence[ObjectiveSettings]) -> tuple[Objective, ...]:
    """Return the objectives that entries of params.yaml name.

    Raises:
        ValueError: as for `objectives`.
    """
    found = tuple(objective(entry) for entry in entries)
    names = [each.name for each in found]
    if len(set(names)) != len(names):
        raise ValueError(f"objectives are {names}; name each once")
    return found


def objective(entry: str | ObjectiveSettings) -> Objective:
    """Return one objective of params.yaml."""
    name, limit = (entry, None) if isinstance(entry, str) else (entry.name, entry.limit)
    if name in ACCURACIES or name.endswith(OF_A_DATA_SET):
        return Objective(name, "maximize", "", limit)
    if name.endswith(ON_A_DEVICE):
        return Objective(name, "minimize", "ms", limit)
    if "." not in name and name not in catalog.names("proxy"):
        allowed = ", ".join((*ACCURACIES, *catalog.names("proxy")))
        raise ValueError(f"objective {name!r} is unknown; allowed: {allowed}")
    proxy = catalog.load("proxy", name)
    return Objective(name, proxy.GOAL, proxy.UNIT, limit)


def seen_shifts(settings: Settings, key: str) -> tuple[str, ...]:
    """Return the shifts under which a search measures its candidates; none unless that is one of its objectives."""
    if SHIFTED_ACCURACY not in {each.name for each in objectives(settings, key)}:
        return ()
    chosen = settings.search.evaluator_of(key)
    defaults = {each.name: each.default for each in catalog.settings("evaluator", chosen.name)}
    return tuple(chosen.settings.get("seen_shifts", defaults.get("seen_shifts", ())))


def strategy(
    settings: Settings,
    key: str,
    space: SearchSpace,
    objectives: tuple[Objective, ...],
    seed: int,
    screen: Screen | None = None,
) -> Strategy:
    """Return the fresh strategy of a search, for one seed.

    Args:
        settings: all of them.
        key: of the search.
        space: what is searched.
        objectives: at least one.
        seed: of the strategy's streams.
        screen: for a strategy that asks for one; without it, such a strategy is built and can propose nothing.

    Raises:
        ValueError: if the settings have a screen and the strategy asks for none, or the other way round.
    """
    entry = settings.search.strategies[key]
    name = entry.strategy or key
    values = checked(FILE, f"search.strategies.{key}", "strategy", name, entry.settings)
    supplied = catalog.supplied("strategy", name)
    if "num_steps" in supplied:
        values["num_steps"] = _budget(settings, key).num_rounds
    if "screen" in supplied:
        if entry.screen is None:
            raise ValueError(
                f"strategy {name!r} asks for cheap scores; add a line such as "
                "'screen: {name: zero_cost, objectives: [naswot]}'"
            )
        values["screen"] = screen
    elif entry.screen is not None:
        raise ValueError(f"strategy {name!r} asks for no cheap scores; remove the line 'screen'")
    streams = Streams(seed).child("strategy")
    built: Strategy = catalog.load("strategy", name).build(space, objectives, streams, **values)
    return built


def evaluator(
    plug_in: PlugIn,
    space: SearchSpace,
    objectives: tuple[Objective, ...],
    seed: int,
    load_task: Callable[[], Task],
    num_steps: int,
    stream: str = "evaluator",
    folder: Path | None = None,
) -> Evaluator:
    """Return an evaluator for one seed; the task is loaded only if the evaluator trains or scores on data.

    Args:
        plug_in: its name and settings.
        space: of the architectures.
        objectives: the scores.
        seed: of its streams.
        load_task: loads the task.
        num_steps: rounds of the search.
        stream: the name of its streams.
        folder: for what it keeps on disk, of this search and seed alone; None keeps nothing.
    """
    values = checked(FILE, f"evaluator {plug_in.name}", "evaluator", plug_in.name, plug_in.settings)
    if "num_steps" in catalog.supplied("evaluator", plug_in.name):
        values["num_steps"] = num_steps
    if "folder" in catalog.supplied("evaluator", plug_in.name):
        values["folder"] = folder
    streams = Streams(seed).child(stream)
    built: Evaluator = catalog.load("evaluator", plug_in.name).build(space, objectives, streams, load_task, **values)
    return built


@contextmanager
def search(
    settings: Settings, key: str, seed: int, load_task: Callable[[], Task], folder: Path
) -> Iterator[tuple[Search, Budget]]:
    """Give a search that keeps its archive and checkpoint in a folder, and goes on from what is there."""
    members = space(settings)
    goals = objectives(settings, key)
    budget = _budget(settings, key)
    chosen = settings.search.evaluator_of(key)
    kept = folder / f"evaluator-{seed}"
    make = functools.partial(evaluator, chosen, members, goals, seed, load_task, budget.num_rounds, folder=kept)
    description = {"search": key, "seed": seed, "space": members.name, "objectives": [goal.name for goal in goals]}
    with (
        screen(settings, key, seed, load_task, folder) as cheap,
        side_by_side(
            make, settings.search.workers, settings.compute.threads, settings.search.timeout_seconds
        ) as scorer,
        closing(Archive(folder / f"archive-{seed}.jsonl", description)) as archive,
    ):
        if budget.deduplicate:
            scorer = RememberingEvaluator(scorer, archive.evaluations())
        checkpoint = CheckpointFile(folder / f"checkpoint-{seed}.pt")
        yield Search(strategy(settings, key, members, goals, seed, cheap), scorer, archive, checkpoint), budget


@contextmanager
def screen(
    settings: Settings, key: str, seed: int, load_task: Callable[[], Task], folder: Path
) -> Iterator[Screen | None]:
    """Give what screens a search's candidates, with an archive of its own in the folder; None if nothing does."""
    chosen = settings.search.strategies[key].screen
    if chosen is None:
        yield None
        return
    members = space(settings)
    goals = screen_objectives(settings, key)
    make = functools.partial(evaluator, chosen.plug_in, members, goals, seed, load_task, 1, "screen")
    with (
        side_by_side(
            make, settings.search.workers, settings.compute.threads, settings.search.timeout_seconds
        ) as scorer,
        closing(screen_archive(settings, key, seed, folder)) as archive,
    ):
        yield Screen(scorer, goals, archive)


def screen_archive(settings: Settings, key: str, seed: int, folder: Path) -> Archive:
    """Return the archive of what was screened for one seed, made if absent."""
    names = [goal.name for goal in screen_objectives(settings, key)]
    description = {"screen": key, "seed": seed, "space": space(settings).name, "objectives": names}
    return Archive(folder / f"screen-{seed}.jsonl", description)


@contextmanager
def side_by_side(
    make: Callable[[], Evaluator], workers: int, threads: int, timeout_seconds: float | None = None
) -> Iterator[Evaluator]:
    """Give a pool of processes with an evaluator in each, the results of which do not depend on their number.

    For one worker without a time limit, where the evaluator has a state (shared weights, trained in this process), and
    where it only predicts, it is that one.

    Args:
        make: builds the evaluator; picklable.
        workers: processes, at least 1.
        threads: of torch in each of them.
        timeout_seconds: limit for each candidate, above 0; None for none.
    """
    single = make()
    if (workers == 1 and timeout_seconds is None) or single.state_dict() or isinstance(single, HasQuality):
        yield single
        return
    from nas_core import worker_process
    from nas_core.parallel import ParallelEvaluator

    make_executor = functools.partial(worker_process.process_pool, num_threads=threads)
    with ParallelEvaluator(
        make, num_workers=workers, make_executor=make_executor, timeout_seconds=timeout_seconds
    ) as pool:
        yield pool


def _budget(settings: Settings, key: str) -> Budget:
    budget = settings.search.budget_of(key)
    return Budget(budget.evaluations, budget.round_size, budget.deduplicate)
