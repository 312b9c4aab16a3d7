"""The field on which strategies meet: a benchmark's space, objectives and evaluator, and the best that it holds."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Protocol, runtime_checkable

from nas_core import catalog
from nas_core.architecture import Architecture
from nas_core.evaluation import Fidelity, Proposal
from nas_core.evaluator import Evaluator
from nas_core.objectives import Objective, excess
from nas_core.space import HasMembers, SearchSpace
from nas_core.task import Task
from tasks import assembly
from tasks.comparison.contest import expanded
from tasks.settings.comparison import BenchmarkSettings
from tasks.settings.parts import ScreenSettings
from tasks.settings.plug_ins import checked

MAX_NUM_LOOKED_THROUGH = 100_000
NUM_TOGETHER = 1000
NUM_KEPT_OPEN = 3
FILE = "params.yaml"


@runtime_checkable
class Reports(Protocol):
    """An evaluator that knows more of an architecture than the scores by which a search may choose."""

    def report(self, architecture: Architecture) -> Mapping[str, Any]:
        """Return measurements by name, those on test data included; never to choose by."""


@runtime_checkable
class Lists(Protocol):
    """An evaluator that knows all architectures that it has scores of."""

    def architectures(self) -> Sequence[Architecture]:
        """Return an architecture for each network."""


@dataclass(frozen=True)
class Best:
    """The best that a benchmark holds.

    Attributes:
        score: in the first objective.
        reported: best value of the reported measurement; None where none is reported.
        reported_of_best_score: mean of the reported measurement over the architectures of the best score, which is what
            a perfect search reaches; None where none is reported, or the values were given and not looked up.
    """

    score: float
    reported: float | None
    reported_of_best_score: float | None


@dataclass(frozen=True)
class Field:
    """A benchmark, opened.

    Attributes:
        space: what is searched.
        goals: its objectives, of which the first one judges.
        evaluator: gives the scores.
        reported: name of the reported measurement; None for none.
        epochs: of an evaluation without a fidelity; None if that is not known.
    """

    space: SearchSpace
    goals: tuple[Objective, ...]
    evaluator: Evaluator
    reported: str | None
    epochs: int | None

    def epochs_of(self, fidelity: Fidelity | None) -> float:
        """Return the epochs of an evaluation on all data at the full width that cost as much.

        Raises:
            ValueError: the epochs of an evaluation without a fidelity are not known.
        """
        if self.epochs is None:
            raise ValueError("proposals name their epochs; say by 'epochs' how many an evaluation has without that")
        return float(self.epochs) if fidelity is None else fidelity.epochs * fidelity.data_fraction * fidelity.width

    def worth(self, architecture: Architecture) -> tuple[float, float | None]:
        """Return the score of an architecture in the first objective, and its reported measurement.

        Raises:
            ValueError: the evaluator does not know the architecture.
        """
        (evaluation,) = self.evaluator.evaluate([Proposal(architecture)])
        if evaluation.failure is not None:
            raise ValueError(f"{architecture.key} was recommended, and {evaluation.failure}")
        return evaluation.scores[self.goals[0].name], self._reported(architecture)

    def best(self) -> Best:
        """Return the best that there is, by looking through the table or the whole space.

        Raises:
            ValueError: the space is too large for that.
        """
        sign = self.goals[0].sign
        score = reported = math.inf
        equals: list[float] = []
        members = self._members()
        while together := [Proposal(member) for member in itertools.islice(members, NUM_TOGETHER)]:
            for evaluation in self.evaluator.evaluate(together):
                if evaluation.failure is not None or excess(evaluation, self.goals) > 0:
                    continue
                cost = sign * evaluation.scores[self.goals[0].name]
                value = self._reported(evaluation.proposal.architecture)
                if cost < score:
                    score, equals = cost, []
                if value is not None:
                    reported = min(reported, sign * value)
                    equals += [value] if cost == score else []
        if not math.isfinite(score):
            raise ValueError("no architecture of the space has a score that keeps the limits")
        has_reported = math.isfinite(reported)
        return Best(sign * score, sign * reported if has_reported else None, fmean(equals) if has_reported else None)

    def check_is_small(self) -> None:
        """Raise a ValueError if the space is too large to be looked through for its best."""
        if isinstance(self.evaluator, Lists) or isinstance(self.space, HasMembers):
            return
        num_members = math.prod(len(choice.options) for choice in self.space.choices)
        if num_members > MAX_NUM_LOOKED_THROUGH:
            raise ValueError(
                f"space {self.space.name!r} has up to {num_members:,} members, too many to look for the best; give it "
                "by 'best'"
            )

    def _members(self) -> Iterator[Architecture]:
        if isinstance(self.evaluator, Lists):
            return (each for each in self.evaluator.architectures() if self.space.is_valid(each))
        if isinstance(self.space, HasMembers):
            return iter(self.space.members())
        self.check_is_small()
        every = itertools.product(*(range(len(choice.options)) for choice in self.space.choices))
        return (each for made in every if self.space.is_valid(each := Architecture(self.space.name, made)))

    def _reported(self, architecture: Architecture) -> float | None:
        if self.reported is None:
            return None
        assert isinstance(self.evaluator, Reports)
        return float(self.evaluator.report(architecture)[self.reported])


def open_field(benchmark: BenchmarkSettings) -> Field:
    """Return a benchmark, opened; in one process the last few are kept.

    Raises:
        ValueError: a plug-in refuses its settings, or a variable is not set.
        OSError: a file cannot be read.
    """
    return _opened(benchmark.model_dump_json())


def open_screen(benchmark: BenchmarkSettings, screen: ScreenSettings) -> tuple[Evaluator, tuple[Objective, ...]]:
    """Return what gives a strategy cheap scores on a benchmark, and which; in one process the last few are kept.

    Raises:
        ValueError: a plug-in refuses its settings, or a variable is not set.
        OSError: a file cannot be read.
    """
    return _opened_screen(benchmark.model_dump_json(), screen.model_dump_json())


def best_of(benchmark: BenchmarkSettings) -> Best:
    """Return the best of a benchmark: as its settings give it, else looked up.

    Raises:
        ValueError: the space is too large to look it up.
    """
    if benchmark.best is None:
        return open_field(benchmark).best()
    first = benchmark.objectives[0].name
    reported = None if benchmark.reported is None else benchmark.best[benchmark.reported]
    return Best(benchmark.best[first], reported, None)


def no_task() -> Task:
    """Refuse to load data: comparisons look scores up.

    Raises:
        ValueError: always.
    """
    raise ValueError("a comparison has no data to train or score on; use an evaluator such as tabular")


@functools.lru_cache(maxsize=NUM_KEPT_OPEN)
def _opened(document: str) -> Field:
    benchmark = BenchmarkSettings.model_validate_json(document)
    chosen = expanded(benchmark.space)
    values = checked(FILE, "space", "space", chosen.name, chosen.settings)
    space: SearchSpace = catalog.load("space", chosen.name).build(**values)
    goals = assembly.distinct_objectives(benchmark.objectives)
    evaluator = assembly.evaluator(expanded(benchmark.evaluator), space, goals, 0, no_task, 1)
    if benchmark.reported is not None and not isinstance(evaluator, Reports):
        raise ValueError(
            f"evaluator {benchmark.evaluator.name!r} has scores alone and no {benchmark.reported}; set reported to null"
        )
    return Field(space, goals, evaluator, benchmark.reported, benchmark.epochs)


@functools.lru_cache(maxsize=NUM_KEPT_OPEN)
def _opened_screen(benchmark: str, document: str) -> tuple[Evaluator, tuple[Objective, ...]]:
    screen = ScreenSettings.model_validate_json(document)
    goals = assembly.distinct_objectives(screen.objectives)
    space = _opened(benchmark).space
    return assembly.evaluator(expanded(screen.plug_in), space, goals, 0, no_task, 1, "screen"), goals
