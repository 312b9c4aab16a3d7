"""The sections of params.yaml as types: one section a stage, and four for what surrounds them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel, ConfigDict, Field, model_validator

Fraction = Annotated[float, Gt(0), Lt(1)]
Count = Annotated[int, Ge(1)]
Seeds = Annotated[tuple[Annotated[int, Ge(0)], ...], MinLen(1)]


class Section(BaseModel):
    """A mapping whose keys are all known and whose values have exactly the stated types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class PlugIn(BaseModel):
    """A plug-in by name with its settings beside it; they are checked against the signature of its entry function."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings beside the name."""
        return dict(self.model_extra or {})


class Prepare(Section):
    """Which data, and how they are split."""

    dataset: str | PlugIn
    transfer: str | PlugIn
    natural_shift: str | PlugIn | None = None
    out_of_distribution: str | PlugIn | None = None
    folder: str | None = None
    download: bool = True
    horizontal_flip: bool = False
    validation_fraction: Fraction = 0.2
    test_fraction: Fraction = 0.2
    num_examples: Count | None = None
    seed: Annotated[int, Ge(0)] = 0

    def data_set(self, role: str) -> PlugIn | None:
        """Return the data set that plays a role: dataset, transfer, natural_shift or out_of_distribution."""
        chosen: str | PlugIn | None = getattr(self, role)
        return PlugIn(name=chosen) if isinstance(chosen, str) else chosen


class ObjectiveSettings(Section):
    """An objective with a limit."""

    name: str
    limit: float | None = None


class BudgetSettings(Section):
    """How long each repetition of a search is."""

    evaluations: Count
    round_size: Count = 1


class StrategySettings(Section):
    """One search: a strategy, the evaluator that it uses, and what differs from the common budget."""

    strategy: str | None = None
    evaluator: str
    objectives: Annotated[tuple[str | ObjectiveSettings, ...], MinLen(1)] | None = None
    evaluations: Count | None = None
    round_size: Count | None = None
    seeds: Seeds | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)


class Search(Section):
    """The searches, one DVC stage each."""

    space: PlugIn
    objectives: Annotated[tuple[str | ObjectiveSettings, ...], MinLen(1)]
    seeds: Seeds
    budget: BudgetSettings
    workers: Count = 1
    evaluators: Mapping[str, Mapping[str, Any]]
    strategies: Annotated[Mapping[str, StrategySettings], MinLen(1)]

    def budget_of(self, key: str) -> BudgetSettings:
        """Return the budget of one repetition of a search."""
        entry = self.strategies[key]
        return BudgetSettings(
            evaluations=entry.evaluations or self.budget.evaluations,
            round_size=entry.round_size or self.budget.round_size,
        )

    def evaluator_of(self, key: str) -> PlugIn:
        """Return the evaluator of a search; its entry in `evaluators` names the plug-in unless it has a name in it."""
        label = self.strategies[key].evaluator
        return PlugIn(**{"name": label, **self.evaluators[label]})


class Select(Section):
    """How the candidates of all strategies are made comparable."""

    per_strategy: Count
    evaluator: PlugIn
    seeds: Seeds


class Retrain(Section):
    """How the chosen candidates are trained from scratch."""

    ranks: Annotated[tuple[int, ...], MinLen(1)]
    seeds: Seeds
    schedule: Mapping[str, Any]

    @model_validator(mode="after")
    def _ranks_count_up(self) -> Retrain:
        if self.ranks != tuple(range(len(self.ranks))):
            raise ValueError(
                f"ranks are {list(self.ranks)}; they count up from 0: write {list(range(len(self.ranks)))}"
            )
        return self


class Baselines(Section):
    """What the candidates are compared with, under the schedule and seeds of `retrain`."""

    random_architectures: Annotated[int, Ge(2)]
    random_seed: Annotated[int, Ge(0)] = 0


class Transfer(Section):
    """How the candidates are moved to the second task."""

    methods: Annotated[tuple[Literal["linear_probe", "fine_tuning", "retraining"], ...], MinLen(1)]
    seeds: Seeds
    schedule: Mapping[str, Any]
    width: Annotated[float, Gt(0)] = 1.0
    depth: Annotated[float, Gt(0)] = 2.0


class Robustness(Section):
    """Which shifts the candidates are exposed to."""

    corruptions: Literal["all"] | Annotated[tuple[str, ...], MinLen(1)] = "all"
    severities: Annotated[tuple[Annotated[int, Ge(1), Le(5)], ...], MinLen(1)] = (1, 2, 3, 4, 5)
    calibration_bins: Annotated[int, Ge(2)] = 15
    seed: Annotated[int, Ge(0)] = 0


class Report(Section):
    """The page that people look at."""

    title: str = "nasflow report"


class Compute(Section):
    """Where it runs."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    threads: Count = 1
    workers: Count = 2


class Tracking(Section):
    """Where runs are logged; null is the checkout's own mlflow.db."""

    uri: str | None = None
    experiment: str = "nasflow"
    registered_model: str = "nasflow"


class Pipeline(Section):
    """How the flow runs the stages."""

    retries: Annotated[int, Ge(0)] = 1
    retry_delay_seconds: Annotated[float, Ge(0)] = 5.0
    timeout_minutes: Annotated[float, Gt(0)] = 120.0
    max_parallel: Count = 2


class Schedule(Section):
    """When the served flow runs."""

    cron: str = "0 3 * * *"
    timezone: str = "UTC"


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
    compute: Compute = Compute()
    tracking: Tracking = Tracking()
    pipeline: Pipeline = Pipeline()
    schedule: Schedule = Schedule()
