"""Screening: order, direction, and that nothing is scored twice, not even by a search that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.screen import NUM_TOGETHER, Screen
from nas_core.strategy import Strategy

SIZE = Objective("size", "minimize")


class Counting:
    """Scores are the number of an architecture; that of 13 fails."""

    def __init__(self) -> None:
        self.scored: list[int] = []

    def prepare(self, strategy: Strategy) -> None:
        pass

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        numbers = [proposal.architecture.decisions[0] for proposal in proposals]
        self.scored += numbers
        return [
            Evaluation(proposal, failure="unlucky") if number == 13 else Evaluation(proposal, {"size": float(number)})
            for proposal, number in zip(proposals, numbers, strict=True)
        ]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def made(*numbers: int) -> list[Architecture]:
    return [Architecture("toy", (number,)) for number in numbers]


def test_the_best_come_first_and_failures_not_at_all() -> None:
    screen = Screen(Counting(), [SIZE])
    assert screen.ranked(made(3, 13, 1, 2)) == made(1, 2, 3)
    assert Screen(Counting(), [Objective("size", "maximize")]).ranked(made(3, 13, 1, 2)) == made(3, 2, 1)
    assert screen.rank_keys(made(13, 2)) == [None, (0.0, 2.0)]


def test_what_keeps_a_limit_comes_first() -> None:
    screen = Screen(Counting(), [Objective("size", "maximize", limit=2.0), SIZE])
    assert screen.ranked(made(1, 2, 3, 0)) == made(3, 2, 1, 0)


def test_nothing_is_scored_twice() -> None:
    evaluator = Counting()
    screen = Screen(evaluator, [SIZE])
    screen.ranked(made(3, 1, 3))
    screen.ranked(made(1, 13, 3))
    screen.ranked(made(13, 1))
    assert evaluator.scored == [3, 1, 13]
    assert screen.num_evaluations == 3


def test_a_search_that_goes_on_finds_its_scores_in_the_archive(tmp_path: Path) -> None:
    numbers = [*range(14, 14 + 2 * NUM_TOGETHER), 13]
    with closing(Archive(tmp_path / "screen.jsonl")) as archive:
        expected = Screen(Counting(), [SIZE], archive).rank_keys(made(*numbers))
        assert [len(finished.evaluations) for finished in archive.rounds] == [NUM_TOGETHER, NUM_TOGETHER, 1]
    evaluator = Counting()
    with closing(Archive(tmp_path / "screen.jsonl")) as archive:
        screen = Screen(evaluator, [SIZE], archive)
        assert screen.rank_keys(made(*numbers)) == expected
        assert evaluator.scored == []
        assert screen.rank_keys(made(5)) == [(0.0, 5.0)]
        assert screen.num_evaluations == len(numbers) + 1
