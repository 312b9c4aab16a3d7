"""Anytime curves: what counts as the best so far."""

from __future__ import annotations

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.objectives import Objective
from tasks import curves

ACCURACY = Objective("validation_accuracy", "maximize")
PROPOSAL = Proposal(Architecture("nasbench201", (3, 3, 3, 3, 3, 3)))


def scored(accuracy: float, flops: float) -> Evaluation:
    return Evaluation(PROPOSAL, {"validation_accuracy": accuracy, "flops": flops}, 1.0)


def test_the_best_so_far_passes_over_failures() -> None:
    failed = Evaluation(PROPOSAL, seconds=2.0, failure="none")
    found = curves.curve([failed, scored(0.5, 1), scored(0.4, 1), scored(0.6, 1)], [ACCURACY])
    assert [step.best for step in found] == [None, 0.5, 0.5, 0.6]
    assert [step.score for step in found] == [None, 0.5, 0.4, 0.6]
    assert [step.seconds for step in found] == [2.0, 3.0, 4.0, 5.0]


def test_what_exceeds_a_limit_is_never_the_best() -> None:
    goals = [ACCURACY, Objective("flops", "minimize", limit=10.0)]
    found = curves.curve([scored(0.9, 11), scored(0.5, 10), scored(0.8, 20)], goals)
    assert [step.best for step in found] == [None, 0.5, 0.5]
    assert [step.score for step in found] == [0.9, 0.5, 0.8]
