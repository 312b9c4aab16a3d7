"""The comparisons of params.yaml as types: strategies by benchmarks by budgets by repetitions, on tables alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Interval, MinLen
from pydantic import AfterValidator, Field, model_validator

from tasks.settings.errors import nearest
from tasks.settings.parts import NamedObjective, NamedPlugIn, ObjectiveSettings, ScreenSettings, Section
from tasks.settings.rules import Count, Fraction, Label, Seed, distinct

MAX_REPETITIONS = 100_000

Repetitions = Annotated[int, Interval(ge=2, le=MAX_REPETITIONS)]
Text = Annotated[str, MinLen(1)]


def ascending(budgets: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse budgets that do not rise."""
    if list(budgets) != sorted(set(budgets)):
        raise ValueError(f"budgets rise, write {sorted(set(budgets))}")
    return budgets


class PublishedValue(Section):
    """What a source says that a strategy reached; accuracies from 0 to 1."""

    mean: float
    standard_deviation: Annotated[float, Ge(0)] | None = None


class PublishedSettings(Section):
    """Numbers of one source on one benchmark.

    Attributes:
        source: who published them, and where.
        evaluations: the budget of the comparison that comes nearest to the source's.
        budget: the source's own, in its words.
        num_runs: over which each value is a mean.
        values: by the key of a strategy of the comparison.
    """

    source: Text
    evaluations: Count
    budget: Text
    num_runs: Annotated[int, Ge(2)] | None = None
    values: Annotated[Mapping[Label, PublishedValue], MinLen(1)]


class BenchmarkSettings(Section):
    """What is searched, by what a search chooses, and what is reported of its choice.

    Attributes:
        space: what is searched.
        evaluator: looks scores up; a text in its settings may name an environment variable, as in $NAS_TABLES_ROOT/x.
        objectives: by the first of them a search is judged; none is a score on test data.
        reported: the measurement of a recommended architecture that is looked up for the report and chooses nothing;
            better in the same direction as the first objective; null for none.
        epochs: of an evaluation without a fidelity; an evaluation of e epochs costs e / epochs of the budget.
        best: the best possible value by name, of the first objective and of `reported`, where a space is too large to
            be looked through.
        published: what others report.
    """

    space: NamedPlugIn
    evaluator: NamedPlugIn
    objectives: Annotated[tuple[NamedObjective, ...], MinLen(1)] = (ObjectiveSettings(name="validation_accuracy"),)
    reported: Text | None = "test_accuracy"
    epochs: Count | None = None
    best: Mapping[str, float] | None = None
    published: tuple[PublishedSettings, ...] = ()


class ContestantSettings(Section):
    """A strategy in a comparison.

    Attributes:
        strategy: the plug-in's name; null if the key is that.
        settings: of the strategy.
        round_size: proposals a round.
        repetitions: if not those of the comparison, such as fewer where a strategy takes long.
        screen: gives cheap scores to a strategy that asks for them.
        benchmarks: on which alone it takes part; null for all.
    """

    strategy: str | None = None
    settings: Mapping[str, Any] = Field(default_factory=dict)
    round_size: Count = 1
    repetitions: Repetitions | None = None
    screen: ScreenSettings | None = None
    benchmarks: Annotated[tuple[Label, ...], MinLen(1), AfterValidator(distinct)] | None = None


class ComparisonSettings(Section):
    """One comparison.

    Attributes:
        benchmarks: by key.
        strategies: by key, which is the plug-in's name unless `strategy` is.
        budgets: numbers of evaluations after which strategies are compared, rising.
        repetitions: of each search.
        deduplicate: whether a query that a search repeats is free; the axis then counts distinct queries.
        seed: of the first repetition; each further one has the next.
        test: what tells strategies apart after Friedman's test.
        significance: level of the tests.
    """

    benchmarks: Annotated[Mapping[Label, BenchmarkSettings], MinLen(1)]
    strategies: Annotated[Mapping[Label, ContestantSettings], MinLen(1)]
    budgets: Annotated[tuple[Count, ...], MinLen(1), AfterValidator(ascending)]
    repetitions: Repetitions
    deduplicate: bool = False
    seed: Seed = 0
    test: Literal["nemenyi", "wilcoxon_holm"] = "nemenyi"
    significance: Fraction = 0.05

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for key, entry in self.strategies.items():
            for name in entry.benchmarks or ():
                _known(f"strategies.{key}.benchmarks", name, self.benchmarks)
        for key, benchmark in self.benchmarks.items():
            for number, published in enumerate(benchmark.published):
                place = f"benchmarks.{key}.published.{number}"
                for name in published.values:
                    _known(f"{place}.values", name, self.strategies)
                if published.evaluations not in self.budgets:
                    raise ValueError(
                        f"{place}.evaluations is {published.evaluations}; allowed, as budgets has them: "
                        f"{', '.join(map(str, self.budgets))}"
                    )
        return self

    def contestants(self, benchmark: str) -> dict[str, ContestantSettings]:
        """Return the strategies that take part on a benchmark, by key."""
        return {
            key: entry
            for key, entry in self.strategies.items()
            if entry.benchmarks is None or benchmark in entry.benchmarks
        }


def _known(place: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"{place} has {name!r}{nearest(name, known)}; allowed: {', '.join(known)}")
