"""Loads and checks params.yaml: shape, types, ranges, names, and what goes together with what."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from nas_core import catalog
from nas_core.strategy import Strategy
from tasks.settings.document import read
from tasks.settings.errors import SettingsError, nearest, sentence
from tasks.settings.plug_ins import checked, checked_fields
from tasks.settings.sections import Settings

DEFAULT_PATH = Path("params.yaml")


def load(path: Path = DEFAULT_PATH) -> Settings:
    """Return the checked settings of a file; imports neither torch nor DVC, Prefect or MLflow.

    Raises:
        SettingsError: one line that names the key, what it was, what is allowed, and the nearest valid name.
    """
    document = read(path)
    try:
        settings = Settings.model_validate_json(json.dumps(document, default=str))
    except ValidationError as error:
        raise SettingsError(sentence(path.name, error.errors()[0], Settings)) from None
    _check_data(path.name, settings)
    _check_searches(path.name, settings)
    _check_stages(path.name, settings)
    return settings


def _check_data(file: str, settings: Settings) -> None:
    for role in ("dataset", "transfer", "natural_shift", "out_of_distribution"):
        chosen = settings.prepare.data_set(role)
        if chosen is not None:
            checked(file, f"prepare.{role}", "data set", chosen.name, chosen.settings)


def _check_searches(file: str, settings: Settings) -> None:
    from tasks import assembly

    search = settings.search
    checked(file, "search.space", "space", search.space.name, search.space.settings)
    for label, values in search.evaluators.items():
        plug_in = dict(values)
        name = str(plug_in.pop("name", label))
        checked(file, f"search.evaluators.{label}", "evaluator", name, plug_in)
    try:
        space = assembly.space(settings)
    except ValueError as error:
        raise SettingsError(f"{file}: search.space: {error}") from None
    for key, entry in search.strategies.items():
        where = f"search.strategies.{key}"
        if entry.evaluator not in search.evaluators:
            raise SettingsError(
                f"{file}: {where}.evaluator is {entry.evaluator!r}{nearest(entry.evaluator, search.evaluators)}; "
                f"allowed, as search.evaluators has them: {', '.join(search.evaluators)}"
            )
        checked(
            file, f"{where}.settings" if entry.strategy else where, "strategy", entry.strategy or key, entry.settings
        )
        try:
            objectives = assembly.objectives(settings, key)
            strategy: Strategy = assembly.strategy(settings, key, space, objectives, seed=0)
            evaluator = search.evaluator_of(key)
            catalog.load("evaluator", evaluator.name).check(space, strategy, objectives)
        except ValueError as error:
            raise SettingsError(f"{file}: {where}: {error}") from None


def _check_stages(file: str, settings: Settings) -> None:
    from nas_core.training.schedule import TrainingSchedule

    select = settings.select.evaluator
    checked(file, "select.evaluator", "evaluator", select.name, select.settings)
    checked_fields(file, "retrain.schedule", TrainingSchedule, settings.retrain.schedule)
    checked_fields(file, "transfer.schedule", TrainingSchedule, settings.transfer.schedule)
    corruptions = settings.robustness.corruptions
    if corruptions != "all":
        known = catalog.names("corruption")
        for name in corruptions:
            if name not in known:
                hint = nearest(name, known)
                raise SettingsError(
                    f"{file}: robustness.corruptions has {name!r}{hint}; allowed: all, or {', '.join(known)}"
                )
