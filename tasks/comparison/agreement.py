"""Checks that the benchmarks of a comparison open, and that each strategy goes with each, before anything runs."""

from __future__ import annotations

from nas_core import catalog
from nas_core.strategy import HasFidelities
from tasks.comparison.contest import contests
from tasks.comparison.field import Field, open_field, open_screen
from tasks.comparison.repetition import build_strategy
from tasks.settings.comparison import ComparisonSettings
from tasks.settings.errors import located


def check(file: str, location: str, comparison: ComparisonSettings) -> None:
    """Open every benchmark and build every strategy.

    Args:
        file: name of the file of settings, for the messages.
        location: keys that lead to the comparison.
        comparison: what is to be run.

    Raises:
        SettingsError: one line.
    """
    fields: dict[str, Field] = {}
    for key, benchmark in comparison.benchmarks.items():
        with located(file, f"{location}.benchmarks.{key}"):
            fields[key] = open_field(benchmark)
            if fields[key].evaluator.state_dict():
                raise ValueError(
                    f"evaluator {benchmark.evaluator.name!r} changes while it is used; use one such as tabular"
                )
            if benchmark.best is None:
                fields[key].check_is_small()
    for contest in contests(comparison):
        field = fields[contest.benchmark_key]
        with located(file, f"{location}.strategies.{contest.strategy_key}"):
            strategy = build_strategy(contest, field, 0, None)
            catalog.load("evaluator", contest.benchmark.evaluator.name).check(field.space, strategy, field.goals)
            if isinstance(strategy, HasFidelities) and contest.benchmark.epochs is None:
                raise ValueError(
                    f"its proposals name their epochs; say by {location}.benchmarks.{contest.benchmark_key}.epochs how "
                    "many an evaluation has without that"
                )
            if contest.contestant.screen is not None:
                open_screen(contest.benchmark, contest.contestant.screen)
