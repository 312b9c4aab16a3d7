"""A contest: one strategy on one benchmark for one budget, and what decides the courses of its repetitions."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_core import catalog
from tasks.settings.comparison import BenchmarkSettings, ComparisonSettings, ContestantSettings
from tasks.settings.parts import PlugIn

VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass(frozen=True, eq=False)
class Contest:
    """What is repeated with one seed after the other.

    Attributes:
        benchmark_key: in the comparison.
        strategy_key: likewise.
        benchmark: its settings.
        contestant: the strategy's.
        budget: in evaluations without a fidelity.
        deduplicate: whether repeated queries are free.
    """

    benchmark_key: str
    strategy_key: str
    benchmark: BenchmarkSettings
    contestant: ContestantSettings
    budget: int
    deduplicate: bool = False

    @property
    def strategy_name(self) -> str:
        """The plug-in's name."""
        return self.contestant.strategy or self.strategy_key

    @property
    def words(self) -> str:
        """What it is, for people."""
        return f"{self.strategy_key} on {self.benchmark_key}"

    def digest(self, code: str, num_threads: int) -> str:
        """Return what names all that decides the courses: settings, the content of the files they name, and code.

        Args:
            code: digest of the sources.
            num_threads: of the numerical libraries.
        """
        decisive = {
            "code": code,
            "threads": num_threads,
            "space": self.benchmark.space.model_dump(mode="json"),
            "evaluator": self.benchmark.evaluator.model_dump(mode="json"),
            "objectives": [each.model_dump(mode="json") for each in self.benchmark.objectives],
            "reported": self.benchmark.reported,
            "epochs": self.benchmark.epochs,
            "files": named_files(self.benchmark, self.contestant),
            "strategy": self.strategy_name,
            "settings": dict(self.contestant.settings),
            "round_size": self.contestant.round_size,
            "screen": None if self.contestant.screen is None else self.contestant.screen.model_dump(mode="json"),
            "budget": self.budget,
            "deduplicate": self.deduplicate,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:20]


def contests(comparison: ComparisonSettings) -> list[Contest]:
    """Return all contests, those of a benchmark together.

    A strategy runs once, for the largest budget, where the beginning of that run is the run for a smaller one. That is
    not so, and it runs anew for each budget, if it is told how long it has, or if a smaller budget ends amid a round,
    as it may where repeats are free.
    """
    found = []
    for benchmark_key, benchmark in comparison.benchmarks.items():
        for key, contestant in comparison.contestants(benchmark_key).items():
            budgets = comparison.budgets if _runs_anew(key, contestant, comparison) else comparison.budgets[-1:]
            found += [
                Contest(benchmark_key, key, benchmark, contestant, budget, comparison.deduplicate) for budget in budgets
            ]
    return found


def expanded(plug_in: PlugIn) -> PlugIn:
    """Return a plug-in with the environment's values in place of the variables that its settings name.

    Raises:
        ValueError: a variable is not set.
    """
    settings = {name: _expanded(name, value) for name, value in plug_in.settings.items()}
    return PlugIn(**{**settings, "name": plug_in.name})


def named_files(benchmark: BenchmarkSettings, contestant: ContestantSettings | None = None) -> dict[str, str]:
    """Return the SHA-256 of each file that is named in the settings, by its name as it is written there.

    Raises:
        ValueError: a variable is not set.
    """
    found = {}
    plug_ins = [benchmark.space, benchmark.evaluator]
    if contestant is not None and contestant.screen is not None:
        plug_ins.append(contestant.screen.plug_in)
    for plug_in in plug_ins:
        for name, value in plug_in.settings.items():
            if isinstance(value, str):
                path = Path(_expanded(name, value))
                if path.is_file():
                    found[value] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _runs_anew(key: str, contestant: ContestantSettings, comparison: ComparisonSettings) -> bool:
    knows_length = "num_steps" in catalog.supplied("strategy", contestant.strategy or key)
    is_cut = any(budget % contestant.round_size for budget in comparison.budgets[:-1])
    return knows_length or is_cut or comparison.deduplicate


def _expanded(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for variable in _variables(value):
        if variable not in os.environ:
            raise ValueError(
                f"{name} is {value!r}, but the variable {variable} is not set; set it to the folder that holds the file"
            )
    return VARIABLE.sub(lambda match: os.environ[match[1] or match[2]], value)


def _variables(value: str) -> Iterator[str]:
    return (match[1] or match[2] for match in VARIABLE.finditer(value))


def readable_settings(settings: Mapping[str, Any]) -> str:
    """Return settings as a person writes them."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())
