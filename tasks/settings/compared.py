"""Checks the plug-ins that a comparison names and their settings, without opening a table."""

from __future__ import annotations

from nas_core import catalog
from tasks import assembly
from tasks.settings.comparison import BenchmarkSettings, ComparisonSettings, ContestantSettings
from tasks.settings.errors import SettingsError, located, nearest
from tasks.settings.plug_ins import checked


def check_comparison(file: str, location: str, comparison: ComparisonSettings) -> None:
    """Check that all plug-ins exist and take their settings; what needs a table is checked where it is opened.

    Args:
        file: name of the file that was read, for the messages.
        location: keys that lead to the comparison.
        comparison: what it holds.

    Raises:
        SettingsError: one line.
    """
    for key, benchmark in comparison.benchmarks.items():
        _check_benchmark(file, f"{location}.benchmarks.{key}", benchmark)
        if not comparison.contestants(key):
            raise SettingsError(
                f"{file}: no strategy takes part on {location}.benchmarks.{key}; name it in one, or remove it"
            )
    for key, contestant in comparison.strategies.items():
        _check_contestant(file, f"{location}.strategies.{key}", key, contestant)


def _check_benchmark(file: str, location: str, benchmark: BenchmarkSettings) -> None:
    checked(file, f"{location}.space", "space", benchmark.space.name, benchmark.space.settings)
    checked(file, f"{location}.evaluator", "evaluator", benchmark.evaluator.name, benchmark.evaluator.settings)
    with located(file, f"{location}.objectives"):
        first = assembly.distinct_objectives(benchmark.objectives)[0].name
    wanted = {first, *([benchmark.reported] if benchmark.reported else [])}
    if benchmark.best is not None and set(benchmark.best) != wanted:
        raise SettingsError(
            f"{file}: {location}.best has {', '.join(benchmark.best) or 'nothing'}; give a number for each of "
            f"{', '.join(sorted(wanted))}"
        )


def _check_contestant(file: str, location: str, key: str, contestant: ContestantSettings) -> None:
    name = contestant.strategy or key
    if contestant.strategy is None and "." not in key and key not in catalog.names("strategy"):
        known = catalog.names("strategy")
        raise SettingsError(
            f"{file}: {location} names no strategy{nearest(key, known)}; allowed: {', '.join(known)}, or any label "
            "with a line 'strategy: NAME'"
        )
    checked(file, f"{location}.settings", "strategy", name, contestant.settings)
    screen = contestant.screen
    takes_screen = "screen" in catalog.supplied("strategy", name)
    if takes_screen != (screen is not None):
        raise SettingsError(
            f"{file}: {location}: strategy {name!r} asks for "
            + ("cheap scores; add a line 'screen'" if takes_screen else "no cheap scores; remove the line 'screen'")
        )
    if screen is not None:
        checked(file, f"{location}.screen", "evaluator", screen.name, screen.plug_in.settings)
        with located(file, f"{location}.screen.objectives"):
            assembly.distinct_objectives(screen.objectives)
