"""Checks that plug-ins exist, take the settings that they are given, and go together: all but the data is built."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core import catalog
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective
from nas_core.remembering_evaluator import RememberingEvaluator
from nas_core.search import Budget
from nas_core.space import HasInputs, HasVariants, SearchSpace
from nas_core.strategy import Strategy
from nas_core.task import Task
from nas_core.training.schedule import TrainingSchedule
from nas_core.weight_sharing.learns import Learns
from tasks import assembly, data
from tasks.fixed_list import FixedList
from tasks.settings.compared import check_comparison
from tasks.settings.errors import SettingsError, located, nearest
from tasks.settings.parts import ObjectiveSettings, PlugIn
from tasks.settings.plug_ins import checked, checked_fields
from tasks.settings.sections import Prepare, Search, Settings
from tasks.settings.studied import check_study
from tasks.tracking.settings import TrackingSettings
from tasks.training import scaled

SHIFTS = "seen_shifts"


def check(file: str, settings: Settings) -> None:
    """Check everything beyond the shape of the sections.

    Args:
        file: name of the file that was read, for the messages.
        settings: what it holds.

    Raises:
        SettingsError: one line.
    """
    _check_data_sets(file, settings.prepare)
    with located(file, "prepare.dataset"):
        shifts = shift_names(settings.prepare)
    search = settings.search
    checked(file, "search.space", "space", search.space.name, search.space.settings)
    for label in search.evaluators:
        _check_evaluator(file, f"search.evaluators.{label}", search.labeled_evaluator(label), shifts)
    with located(file, "search.space"):
        space = assembly.space(settings)
    _check_inputs(file, "search.space", search.space.name, settings.prepare, space)
    _check_objectives(file, "search.objectives", search.objectives)
    for key in search.strategies:
        _check_search(file, settings, key, space)
        _check_screen(file, settings, key, space, shifts)
        _check_seen_shifts(file, settings, key, shifts)
    _check_select(file, settings, space, shifts)
    checked_fields(file, "retrain.schedule", TrainingSchedule, settings.retrain.schedule)
    if settings.retrain.variants and not isinstance(space, HasVariants):
        raise SettingsError(
            f"{file}: retrain.variants is true, and space {space.name} knows no variants of its networks; set it false"
        )
    checked_fields(file, "transfer.schedule", TrainingSchedule, settings.transfer.schedule)
    if "retraining" in settings.transfer.methods:
        with located(file, "transfer"):
            scaled(space, settings.transfer.width, settings.transfer.depth)
    if settings.robustness.corruptions != "all":
        _check_names(file, "robustness.corruptions", settings.robustness.corruptions, shifts)
    for label, comparison in settings.compare.items():
        check_comparison(file, f"compare.{label}", comparison)
    for label, study in settings.proxies.items():
        studied = check_study(file, f"proxies.{label}", study, settings)
        name = (study.space or search.space).name
        _check_inputs(file, f"proxies.{label}.space", name, settings.prepare, studied)
    tracking = settings.tracking
    with located(file, ""):
        TrackingSettings(tracking.uri, tracking.experiment, tracking.registered_model)


def shift_names(prepare: Prepare) -> tuple[str, ...]:
    """Return the names of the shifts that the learning task of the main data set has, without loading any data."""
    names: tuple[str, ...] = catalog.load("learning task", _learning_task(prepare.dataset)).shift_names()
    return names


def _learning_task(data_set: PlugIn) -> str:
    """Return the learning task that reads a data set.

    The set's module says it, as `LEARNING_TASK`; without a word, it has images.
    """
    named: str = getattr(catalog.load("data set", data_set.name), "LEARNING_TASK", data.IMAGE_CLASSIFICATION)
    return named


def _check_data_sets(file: str, prepare: Prepare) -> None:
    """Check the settings of all data sets, and that one learning task reads them all."""
    for role, chosen in prepare.data_sets.items():
        checked(file, f"prepare.{role}", "data set", chosen.name, chosen.settings)
    main = _learning_task(prepare.dataset)
    for role, chosen in prepare.data_sets.items():
        other = _learning_task(chosen)
        if other != main:
            raise SettingsError(
                f"{file}: prepare.{role} is {chosen.name}, a set for {other}, and prepare.dataset is "
                f"{prepare.dataset.name}, one for {main}; name sets of one kind"
            )
    if prepare.horizontal_flip and main != data.IMAGE_CLASSIFICATION:
        raise SettingsError(
            f"{file}: prepare.horizontal_flip is true, but {main} has nothing to mirror; set it to false"
        )


def _check_inputs(file: str, location: str, name: str, prepare: Prepare, space: SearchSpace) -> None:
    """Refuse data that the networks of the space cannot take, where both say what that is."""
    dataset = prepare.dataset
    given = getattr(catalog.load("learning task", _learning_task(dataset)), "INPUTS", None)
    if given is not None and isinstance(space, HasInputs) and space.inputs != given:
        raise SettingsError(
            f"{file}: {location} is {name}, whose networks take {space.inputs}, and "
            f"prepare.dataset is {dataset.name}, which has {given}; name another space (or set its level, if it has "
            f"one), or a set of {space.inputs}"
        )


def _check_evaluator(file: str, location: str, plug_in: PlugIn, shifts: Sequence[str]) -> None:
    values = checked(file, location, "evaluator", plug_in.name, plug_in.settings)
    _check_names(file, f"{location}.{SHIFTS}", values.get(SHIFTS, ()), shifts)


def _check_seen_shifts(file: str, settings: Settings, key: str, shifts: Sequence[str]) -> None:
    """Refuse shifts that an evaluator sees by default, and is asked for, where the data have no such shifts."""
    label = settings.search.strategies[key].evaluator
    _check_names(file, f"search.evaluators.{label}.{SHIFTS}", assembly.seen_shifts(settings, key), shifts)


def _check_objectives(file: str, location: str, objectives: Sequence[ObjectiveSettings] | None) -> None:
    of_a_benchmark = (assembly.OF_A_DATA_SET, assembly.ON_A_DEVICE)
    names = [
        objective.name
        for objective in objectives or ()
        if "." not in objective.name and not objective.name.endswith(of_a_benchmark)
    ]
    _check_names(file, location, names, (*assembly.ACCURACIES, *catalog.names("proxy")))


def _check_names(file: str, location: str, names: Sequence[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise SettingsError(f"{file}: {location} has {name!r}{nearest(name, known)}; allowed: {', '.join(known)}")


def _check_search(file: str, settings: Settings, key: str, space: SearchSpace) -> None:
    search = settings.search
    entry = search.strategies[key]
    location = f"search.strategies.{key}"
    if entry.evaluator not in search.evaluators:
        raise SettingsError(
            f"{file}: {location}.evaluator is {entry.evaluator!r}{nearest(entry.evaluator, search.evaluators)}; "
            f"allowed, as search.evaluators has them: {', '.join(search.evaluators)}"
        )
    if entry.strategy is None and "." not in key and key not in catalog.names("strategy"):
        near = nearest(key, catalog.names("strategy"))
        raise SettingsError(
            f"{file}: {location} names no strategy{near}; allowed: {', '.join(catalog.names('strategy'))}, "
            f"or any label with a line 'strategy: NAME'"
        )
    checked(file, f"{location}.settings", "strategy", entry.strategy or key, entry.settings)
    _check_objectives(file, f"{location}.objectives", entry.objectives)
    with located(file, location):
        objectives = assembly.objectives(settings, key)
        strategy = assembly.strategy(settings, key, space, objectives, seed=0)
        _check_rounds(search, key, strategy)
        budget = search.budget_of(key)
        num_rounds = Budget(budget.evaluations, budget.round_size).num_rounds
        evaluator = _built(search.evaluator_of(key), space, strategy, objectives, num_rounds)
        if budget.deduplicate:
            RememberingEvaluator(evaluator)


def _check_screen(file: str, settings: Settings, key: str, space: SearchSpace, shifts: Sequence[str]) -> None:
    """Check the cheap scores of a search, if it has any: each must depend on its candidate alone."""
    screen = settings.search.strategies[key].screen
    if screen is None:
        return
    location = f"search.strategies.{key}.screen"
    _check_evaluator(file, location, screen.plug_in, shifts)
    _check_objectives(file, f"{location}.objectives", screen.objectives)
    with located(file, location):
        objectives = assembly.screen_objectives(settings, key)
        if _built(screen.plug_in, space, FixedList(()), objectives, 1).state_dict():
            raise ValueError(
                f"{screen.name!r} scores a network by weights that change while it is used; use one that scores each "
                "by itself, such as zero_cost"
            )


def _check_rounds(search: Search, key: str, strategy: Strategy) -> None:
    """Refuse rounds of several proposals for a strategy that learns: it has one to make, after one round's training."""
    round_size = search.budget_of(key).round_size
    if isinstance(strategy, Learns) and round_size != 1:
        raise ValueError(
            f"round_size is {round_size}, but a strategy that learns makes one proposal a round; set round_size to 1"
        )


def _check_select(file: str, settings: Settings, space: SearchSpace, shifts: Sequence[str]) -> None:
    chosen = settings.select.evaluator
    _check_evaluator(file, "select.evaluator", chosen, shifts)
    objectives = tuple(assembly.objective(name) for name in assembly.COMMON_OBJECTIVES)
    with located(file, "select.evaluator"):
        evaluator = _built(chosen, space, FixedList(()), objectives, 1)
        if evaluator.state_dict():
            raise ValueError(
                f"{chosen.name!r} scores a network by weights that it shares with others; "
                "use one that scores each by itself, such as full_training"
            )


def _built(
    plug_in: PlugIn, space: SearchSpace, strategy: Strategy, objectives: tuple[Objective, ...], num_rounds: int
) -> Evaluator:
    """Return an evaluator as a search would build it, once it agrees to the space, the strategy and the objectives."""
    catalog.load("evaluator", plug_in.name).check(space, strategy, objectives)
    return assembly.evaluator(plug_in, space, objectives, 0, _no_task, num_rounds)


def _no_task() -> Task:
    raise RuntimeError("its build() loads the task; an evaluator loads it when it first needs data")
