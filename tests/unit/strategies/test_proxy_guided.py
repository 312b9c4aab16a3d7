"""A predictor with cheap scores: a score that tells the truth leads to the best at once; wrong settings are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from grid_space import GridSpace, told

from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.strategies.proxy_guided import build

SPACE = GridSpace((6, 6, 6))
OBJECTIVES = (Objective("accuracy", "maximize"),)


def truth(decisions: Sequence[int]) -> float:
    """Return an accuracy that no sum over choices gives."""
    first, second, third = decisions
    return ((first * 7 + second * 5 * first + third * second * 3) % 36) / 36


class Oracle:
    """Cheap scores that are the truth, or say nothing."""

    def __init__(self, knows: bool) -> None:
        self._knows = knows

    def prepare(self, strategy: object) -> None:
        raise AssertionError("a screen prepares nothing")

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [Evaluation(each, {"cheap": truth(each.architecture.decisions) * self._knows}) for each in proposals]

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        raise AssertionError("there is no state")


def mean_after(knows: bool) -> float:
    """Return the mean accuracy of what is proposed after the first fit, over a few seeds."""
    found = []
    for seed in range(3):
        screen = Screen(Oracle(knows), (Objective("cheap", "maximize"),))
        strategy = build(SPACE, OBJECTIVES, Streams(seed), screen=screen, predictor_settings={"num_members": 2})
        for number in range(4):
            proposals = strategy.ask(10)
            strategy.tell([told(each.architecture.decisions, truth(each.architecture.decisions)) for each in proposals])
            if number:
                found.extend(truth(each.architecture.decisions) for each in proposals)
    return sum(found) / len(found)


def test_cheap_scores_that_tell_the_truth_are_made_use_of() -> None:
    assert mean_after(True) > 0.75
    assert mean_after(True) > mean_after(False) + 0.15


def test_a_predictor_of_something_else_is_refused() -> None:
    screen = Screen(Oracle(True), (Objective("cheap", "maximize"),))
    with pytest.raises(ValueError, match="takes no vectors; use one that does"):
        build(SPACE, OBJECTIVES, Streams(0), screen=screen, predictor="renas")
    with pytest.raises(ValueError, match="has no setting 'num_tree'"):
        build(SPACE, OBJECTIVES, Streams(0), screen=screen, predictor_settings={"num_tree": 2})
