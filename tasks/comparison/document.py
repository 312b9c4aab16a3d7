"""What a comparison found, as values for JSON and rows for CSV; without clocks, so that equal work is equal bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import numpy as np

from nas_core.robustness.intervals import Interval, RunSummary
from tasks.comparison.contest import readable_settings
from tasks.comparison.published import difference
from tasks.comparison.ranking import Ranking, ranking
from tasks.comparison.results import Arena, Contender, summarized
from tasks.settings.comparison import ComparisonSettings, PublishedSettings, PublishedValue

FORMAT = 1
FINAL_HEADER = ("benchmark", "strategy", "evaluations", "seed", "measure", "value")
CURVE_HEADER = ("benchmark", "strategy", "measure", "evaluations", "mean_regret", "low", "high")


@dataclass(frozen=True)
class Reached:
    """What the repetitions of one strategy reached on one benchmark by one budget.

    Attributes:
        arena: the benchmark.
        contender: the strategy.
        budget: in evaluations.
        values: by measure; None where a repetition reached nothing.
        regrets: likewise.
    """

    arena: Arena
    contender: Contender
    budget: int
    values: Mapping[str, RunSummary | None]
    regrets: Mapping[str, RunSummary | None]


@dataclass(frozen=True)
class Ranked:
    """A ranking of strategies.

    Attributes:
        benchmark: over the repetitions on this one; None for the means on all benchmarks.
        measure: of the regret by which they are ranked.
        budget: in evaluations.
        ranking: the ranks and their tests.
    """

    benchmark: str | None
    measure: str
    budget: int
    ranking: Ranking


@dataclass(frozen=True)
class Beside:
    """A published number beside ours.

    Attributes:
        arena: the benchmark.
        strategy: its key.
        published: the source.
        value: what it says.
        reached: what ours reached by the budget that comes nearest.
        difference: ours less theirs, with its interval.
    """

    arena: Arena
    strategy: str
    published: PublishedSettings
    value: PublishedValue
    reached: RunSummary
    difference: Interval


def all_reached(arenas: Sequence[Arena], budgets: Sequence[int]) -> tuple[Reached, ...]:
    """Return what every strategy reached on every benchmark by every budget."""
    return tuple(
        Reached(
            arena,
            contender,
            budget,
            {measure: summarized(arena.reached(contender, measure, budget)) for measure in arena.measures},
            {measure: summarized(arena.regrets(contender, measure, budget)) for measure in arena.measures},
        )
        for arena in arenas
        for budget in budgets
        for contender in arena.contenders
    )


def all_ranked(arenas: Sequence[Arena], comparison: ComparisonSettings) -> tuple[Ranked, ...]:
    """Return the rankings on each benchmark, of repetitions of the same seed, and of the means on all of them.

    A strategy with fewer repetitions than the others cuts the ranking to its seeds.
    """
    found = []
    for budget in comparison.budgets:
        for arena in arenas:
            if len(arena.contenders) > 1:
                costs = _costs(arena, budget)
                least = min(map(len, costs.values()))
                cut = {key: values[:least] for key, values in costs.items()}
                ranks = ranking(cut, comparison.test, comparison.significance)
                found.append(Ranked(arena.key, arena.measures[0], budget, ranks))
        everywhere = [
            key for key in comparison.strategies if all(key in {c.key for c in arena.contenders} for arena in arenas)
        ]
        if len(arenas) > 1 and len(everywhere) > 1:
            means = {key: [fmean(_costs(arena, budget)[key]) for arena in arenas] for key in everywhere}
            ranks = ranking(means, comparison.test, comparison.significance)
            measures = {arena.measures[0] for arena in arenas}
            found.append(Ranked(None, " and ".join(sorted(measures)), budget, ranks))
    return tuple(found)


def all_beside(arenas: Sequence[Arena], comparison: ComparisonSettings) -> tuple[Beside, ...]:
    """Return what is published beside what was reached, where every repetition reached something."""
    found = []
    for arena in arenas:
        contenders = {contender.key: contender for contender in arena.contenders}
        for published in comparison.benchmarks[arena.key].published:
            for key, value in published.values.items():
                if key not in contenders:
                    continue
                reached = summarized(arena.reached(contenders[key], arena.measures[0], published.evaluations))
                if reached is not None:
                    apart = difference(reached, value.mean, value.standard_deviation, published.num_runs)
                    found.append(Beside(arena, key, published, value, reached, apart))
    return tuple(found)


def document(label: str, comparison: ComparisonSettings, arenas: Sequence[Arena]) -> dict[str, Any]:
    """Return comparison.json."""
    return {
        "format": FORMAT,
        "comparison": label,
        "settings": comparison.model_dump(mode="json"),
        "benchmarks": {
            arena.key: {
                "objective": asdict(arena.goal),
                "reported": arena.reported,
                "best": asdict(arena.best),
                "files": dict(arena.files),
            }
            for arena in arenas
        },
        "reached": [_reached_json(each) for each in all_reached(arenas, comparison.budgets)],
        "rankings": [
            {"benchmark": each.benchmark, "measure": each.measure, "budget": each.budget, **asdict(each.ranking)}
            for each in all_ranked(arenas, comparison)
        ],
        "published": [_beside_json(each) for each in all_beside(arenas, comparison)],
    }


def final_rows(arenas: Sequence[Arena], budgets: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows under `FINAL_HEADER`: what every repetition had reached by every budget."""
    return [
        (arena.key, contender.key, budget, course.seed, measure, None if math.isnan(value) else value)
        for arena in arenas
        for contender in arena.contenders
        for budget in budgets
        for measure in arena.measures
        for course, value in zip(
            contender.courses_for(budget), arena.reached(contender, measure, budget).tolist(), strict=True
        )
    ]


def curve_rows(arenas: Sequence[Arena], budgets: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the rows under `CURVE_HEADER`: mean regrets and the ends of their intervals at every evaluation."""
    evaluations = np.arange(1, budgets[-1] + 1, dtype=np.float64)
    rows: list[tuple[Any, ...]] = []
    for arena in arenas:
        for contender in arena.contenders:
            for measure in arena.measures:
                band = arena.band(contender, measure, evaluations)
                points = zip(band.evaluations, band.means, band.lows, band.highs, strict=True)
                rows += [
                    (arena.key, contender.key, measure, int(cost), *(round(float(value), 9) for value in values))
                    for cost, *values in points
                ]
    return rows


def _costs(arena: Arena, budget: int) -> dict[str, list[float]]:
    """Return the regrets by which strategies are ranked; what reached nothing is behind all others."""
    worst = 1e9
    return {
        contender.key: np.nan_to_num(arena.regrets(contender, arena.measures[0], budget), nan=worst).tolist()
        for contender in arena.contenders
    }


def _reached_json(reached: Reached) -> dict[str, Any]:
    courses = reached.contender.courses_for(reached.budget)
    return {
        "benchmark": reached.arena.key,
        "strategy": reached.contender.key,
        "settings": readable_settings(reached.contender.settings.settings),
        "budget": reached.budget,
        "num_repetitions": len(courses),
        "run_for": reached.contender.run_for(reached.budget),
        "num_evaluations": fmean(course.num_evaluations for course in courses),
        "num_failures": fmean(course.num_failures for course in courses),
        "num_distinct": fmean(course.num_distinct for course in courses),
        "num_screened": fmean(course.num_screened for course in courses),
        "values": {measure: _summary_json(value) for measure, value in reached.values.items()},
        "regrets": {measure: _summary_json(value) for measure, value in reached.regrets.items()},
    }


def _summary_json(summary: RunSummary | None) -> dict[str, Any] | None:
    return None if summary is None else asdict(summary)


def _beside_json(beside: Beside) -> dict[str, Any]:
    return {
        "benchmark": beside.arena.key,
        "strategy": beside.strategy,
        "measure": beside.arena.measures[0],
        "source": beside.published.source,
        "published_budget": beside.published.budget,
        "published_num_runs": beside.published.num_runs,
        "published": beside.value.model_dump(mode="json"),
        "budget": beside.published.evaluations,
        "reached": asdict(beside.reached),
        "difference": asdict(beside.difference),
    }
