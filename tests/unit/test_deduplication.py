"""Repeated queries: each counts, unless the budget deduplicates; then they are answered from memory."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.remembering_evaluator import RememberingEvaluator
from nas_core.search import MOST_REPEATS, Budget, Search

HALF = Fidelity(1, data_fraction=0.5)


def proposal(number: int, fidelity: Fidelity | None = None) -> Proposal:
    return Proposal(Architecture("numbers", (number,)), fidelity, parent=Architecture("numbers", (99,)))


@dataclass
class Wheel:
    """A strategy that proposes 0, 1, ..., 5 again and again, each of them twice, and adds up its scores."""

    size: int = 6
    num_asked: int = 0
    total: float = 0.0

    def ask(self, count: int) -> list[Proposal]:
        first, self.num_asked = self.num_asked, self.num_asked + count
        return [proposal(place // 2 % self.size) for place in range(first, first + count)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        self.total = 2 * self.total % 1009 + sum(each.scores.get("score", 0.5) for each in evaluations)

    def recommend(self) -> Architecture:
        return Architecture("numbers", (0,))

    def state_dict(self) -> dict[str, Any]:
        return {"num_asked": self.num_asked, "total": self.total}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.num_asked, self.total = state["num_asked"], state["total"]


@dataclass
class Numbers:
    """Scores a number by itself; 3 fails; counts what it was asked for."""

    asked: list[int] = field(default_factory=list)

    def prepare(self, strategy: object) -> None:
        """Do nothing."""

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        numbers = [each.architecture.decisions[0] for each in proposals]
        self.asked += numbers
        return [
            Evaluation(each, failure="a three") if number == 3 else Evaluation(each, {"score": number + 1.0}, 0.25)
            for each, number in zip(proposals, numbers, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on nothing."""


@dataclass
class Trained(Numbers):
    """An evaluator with a state."""

    def state_dict(self) -> dict[str, Any]:
        return {"weights": 1}


def test_only_what_is_new_is_evaluated_and_a_repeated_failure_is_one() -> None:
    inner = Numbers()
    evaluator = RememberingEvaluator(
        inner, [Evaluation(proposal(5), {"score": 60.0}), Evaluation(proposal(5), {"s": 1})]
    )
    asked = [proposal(1), proposal(3), Proposal(Architecture("numbers", (1,))), proposal(5), proposal(1, HALF)]
    found = evaluator.evaluate(asked)
    assert [each.proposal for each in found] == asked
    assert [each.scores.get("score") for each in found] == [2.0, None, 2.0, 60.0, 2.0]
    assert [each.seconds for each in found] == [0.25, 0.0, 0.0, 0.0, 0.25]
    assert inner.asked == [1, 3, 1]
    assert [each.failure for each in evaluator.evaluate([proposal(3), proposal(4)])] == ["a three", None]
    assert inner.asked == [1, 3, 1, 4]
    assert evaluator.evaluate([]) == []


def test_an_evaluator_that_changes_is_not_remembered() -> None:
    with pytest.raises(ValueError, match="cannot be remembered; set deduplicate to false"):
        RememberingEvaluator(Trained())


def played(
    folder: Path | None, budget: Budget, stop_after: int | None = None, size: int = 6
) -> tuple[Search, list[int]]:
    archive = Archive() if folder is None else Archive(folder / "archive.jsonl", {})
    checkpoint = None if folder is None else CheckpointFile(folder / "checkpoint.pt")
    inner = Numbers()
    evaluator = RememberingEvaluator(inner, archive.evaluations()) if budget.deduplicate else inner
    search = Search(Wheel(size), evaluator, archive, checkpoint, checkpoint_seconds=0.0)
    for _ in itertools.islice(search.rounds(budget), stop_after):
        pass
    archive.close()
    return search, inner.asked


def test_a_repeated_query_counts_unless_the_budget_says_otherwise() -> None:
    search, asked = played(None, Budget(5))
    assert search.num_evaluations == 5
    assert asked == [0, 0, 1, 1, 2]
    search, asked = played(None, Budget(5, deduplicate=True))
    assert search.num_evaluations == 9
    assert asked == [0, 1, 2, 3, 4]
    assert len({each.proposal.query for each in search.archive.evaluations()}) == 5


def test_the_last_round_is_as_large_as_what_is_left() -> None:
    search, asked = played(None, Budget(5, 4, deduplicate=True))
    assert asked == [0, 1, 2, 3, 4]
    assert [past.asked for past in search.archive.rounds] == [4, 3, 1, 1]


def test_a_strategy_with_nothing_new_ends() -> None:
    search, asked = played(None, Budget(4, deduplicate=True), size=3)
    assert asked == [0, 1, 2]
    assert search.num_evaluations == 4 * MOST_REPEATS


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_stopped_after_any_round_it_ends_as_if_it_had_not(tmp_path: Path, stop_after: int) -> None:
    budget = Budget(6, 2, deduplicate=True)
    whole, _ = played(None, budget)
    played(tmp_path, budget, stop_after)
    search, _ = played(tmp_path, budget)
    assert list(search.archive.rounds) == list(whole.archive.rounds)
    assert search.strategy.state_dict() == whole.strategy.state_dict()
    assert search.num_evaluations == whole.num_evaluations
