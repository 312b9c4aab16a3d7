"""The sections of params.yaml as types: one section a stage, and four for what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Interval, MinLen
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tasks.settings.comparison import ComparisonSettings
from tasks.settings.cron import check_cron
from tasks.settings.parts import NamedObjective, NamedPlugIn, PlugIn, ScreenSettings, Section
from tasks.settings.proxy_study import ProxyStudySettings
from tasks.settings.rules import (
    Count,
    Fraction,
    Label,
    NumProcesses,
    Seed,
    Seeds,
    all_or_names,
    checked_device,
    checked_timezone,
    counting_up,
    distinct,
)


class Prepare(Section):
    """Which data, and how they are split.

    With `folds`, the examples of a set without an official test part are divided into that many parts, every class in
    its share, and part number `fold` is the test part: the same division for every `fold`. Validation examples come out
    of the rest.
    """

    dataset: NamedPlugIn
    transfer: NamedPlugIn
    natural_shift: NamedPlugIn | None = None
    out_of_distribution: NamedPlugIn | None = None
    folder: str | None = None
    download: bool = True
    horizontal_flip: bool = False
    validation_fraction: Fraction = 0.2
    test_fraction: Fraction = 0.2
    folds: Annotated[int, Interval(ge=2, le=1000)] | None = None
    fold: Annotated[int, Ge(0)] = 0
    num_examples: Count | None = None
    seed: Seed = 0

    @model_validator(mode="after")
    def _check_fold(self) -> Self:
        if self.fold >= (self.folds or 1):
            allowed = f"0 to {self.folds - 1}, as folds is {self.folds}" if self.folds else "0 alone, as folds is null"
            raise ValueError(f"fold is {self.fold}; allowed: {allowed}")
        return self

    @property
    def data_sets(self) -> dict[str, PlugIn]:
        """The data sets by the role that they play: dataset, transfer, natural_shift, out_of_distribution."""
        chosen = {
            "dataset": self.dataset,
            "transfer": self.transfer,
            "natural_shift": self.natural_shift,
            "out_of_distribution": self.out_of_distribution,
        }
        return {role: plug_in for role, plug_in in chosen.items() if plug_in is not None}


class BudgetSettings(Section):
    """How long each repetition of a search is; with `deduplicate`, queries that it repeats are free."""

    evaluations: Count
    round_size: Count = 1
    deduplicate: bool = False


class StrategySettings(Section):
    """One search: a strategy, the evaluator that it uses, and what differs from the common budget."""

    strategy: str | None = None
    evaluator: str
    screen: ScreenSettings | None = None
    objectives: Annotated[tuple[NamedObjective, ...], MinLen(1)] | None = None
    evaluations: Count | None = None
    round_size: Count | None = None
    deduplicate: bool | None = None
    seeds: Seeds | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class EvaluatorSettings(BaseModel):
    """An evaluator with its settings beside it; without a name, its label is the plug-in's name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str | None = None

    @property
    def settings(self) -> dict[str, Any]:
        """The settings beside the name."""
        return dict(self.model_extra or {})


class Search(Section):
    """The searches, one DVC stage each."""

    space: PlugIn
    objectives: Annotated[tuple[NamedObjective, ...], MinLen(1)]
    seeds: Seeds
    budget: BudgetSettings
    workers: NumProcesses = 1
    timeout_seconds: Annotated[float, Gt(0)] | None = None
    evaluators: Mapping[Label, EvaluatorSettings]
    strategies: Annotated[Mapping[Label, StrategySettings], MinLen(1)]

    def budget_of(self, key: str) -> BudgetSettings:
        """Return the budget of one repetition of a search."""
        entry = self.strategies[key]
        return BudgetSettings(
            evaluations=entry.evaluations or self.budget.evaluations,
            round_size=entry.round_size or self.budget.round_size,
            deduplicate=self.budget.deduplicate if entry.deduplicate is None else entry.deduplicate,
        )

    def evaluator_of(self, key: str) -> PlugIn:
        """Return the evaluator of a search."""
        return self.labeled_evaluator(self.strategies[key].evaluator)

    def labeled_evaluator(self, label: str) -> PlugIn:
        """Return the evaluator with a label; its entry names the plug-in unless it has a name in it."""
        entry = self.evaluators[label]
        return PlugIn(**{**entry.settings, "name": entry.name or label})


class Select(Section):
    """How the candidates of all strategies are made comparable."""

    per_strategy: Count
    evaluator: PlugIn
    seeds: Seeds


class Retrain(Section):
    """How the chosen candidates are trained from scratch."""

    ranks: Annotated[tuple[int, ...], MinLen(1), AfterValidator(counting_up)]
    seeds: Seeds
    schedule: Mapping[str, Any]
    variants: bool = False


class Baselines(Section):
    """What the candidates are compared with, under the schedule and seeds of `retrain`."""

    random_architectures: Annotated[int, Ge(2)]
    random_seed: Seed = 0


class Transfer(Section):
    """How the candidates are moved to the second task."""

    methods: Annotated[
        tuple[Literal["linear_probe", "fine_tuning", "retraining"], ...], MinLen(1), AfterValidator(distinct)
    ]
    seeds: Seeds
    schedule: Mapping[str, Any]
    width: Annotated[float, Interval(gt=0, le=100)] = 1.0
    depth: Annotated[float, Interval(gt=0, le=100)] = 2.0


class Robustness(Section):
    """Which shifts the candidates are exposed to."""

    corruptions: Annotated[
        Literal["all"] | Annotated[tuple[str, ...], AfterValidator(distinct)], BeforeValidator(all_or_names)
    ] = "all"
    severities: Annotated[tuple[Annotated[int, Interval(ge=1, le=5)], ...], MinLen(1), AfterValidator(distinct)] = (
        1,
        2,
        3,
        4,
        5,
    )
    calibration_bins: Annotated[int, Interval(ge=2, le=1000)] = 15
    seed: Seed = 0


class Report(Section):
    """The page that people look at."""

    title: str = "nasflow report"


class Compute(Section):
    """Where it runs."""

    device: Annotated[str, AfterValidator(checked_device)] = "auto"
    threads: NumProcesses = 1
    workers: NumProcesses = 2


class Tracking(Section):
    """Where runs are logged; null is the checkout's own mlflow.db."""

    uri: str | None = None
    experiment: str = "nasflow"
    registered_model: str = "nasflow"


class Pipeline(Section):
    """How the flow runs the stages."""

    retries: Annotated[int, Interval(ge=0, le=1000)] = 1
    retry_delay_seconds: Annotated[float, Interval(ge=0, le=86_400)] = 5.0
    timeout_minutes: Annotated[float, Interval(gt=0, le=525_600)] = 120.0
    max_parallel: NumProcesses = 2


class Schedule(Section):
    """When the served flow runs."""

    cron: Annotated[str, AfterValidator(check_cron)] = "0 3 * * *"
    timezone: Annotated[str, AfterValidator(checked_timezone)] = "UTC"


class Settings(Section):
    """All of params.yaml."""

    prepare: Prepare
    search: Search
    select: Select
    retrain: Retrain
    baselines: Baselines
    transfer: Transfer
    robustness: Robustness = Robustness()
    report: Report = Report()
    compare: Mapping[Label, ComparisonSettings] = Field(default_factory=dict)
    proxies: Mapping[Label, ProxyStudySettings] = Field(default_factory=dict)
    compute: Compute = Compute()
    tracking: Tracking = Tracking()
    pipeline: Pipeline = Pipeline()
    schedule: Schedule = Schedule()
