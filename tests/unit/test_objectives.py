"""The one place where the direction of objectives is handled."""

from __future__ import annotations

import pytest

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective, costs, excess, rank_key

ACCURACY = Objective("accuracy", "maximize")
LATENCY = Objective("latency_ms", "minimize", unit="ms", limit=20.0)
PROPOSAL = Proposal(Architecture("toy", (1, 0)))


def scored(accuracy: float, latency_ms: float) -> Evaluation:
    return Evaluation(PROPOSAL, {"accuracy": accuracy, "latency_ms": latency_ms})


def test_lower_costs_are_better_whatever_the_goal() -> None:
    assert costs(scored(0.9, 12.0), (ACCURACY, LATENCY)) == (-0.9, 12.0)
    assert costs(scored(0.9, 12.0), (LATENCY,)) == (12.0,)


def test_a_missing_score_says_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"toy:1-0 has no score 'flops': it has only \['accuracy', 'latency_ms'\]"):
        costs(scored(0.9, 1.0), (Objective("flops", "minimize"),))


def test_a_failure_has_no_costs_but_a_reason() -> None:
    with pytest.raises(ValueError, match="it failed \\(out of memory\\)"):
        costs(Evaluation(PROPOSAL, failure="out of memory"), (ACCURACY,))


def test_excess_is_relative_to_the_limit_and_summed() -> None:
    floor = Objective("accuracy", "maximize", limit=0.8)
    assert excess(scored(0.9, 20.0), (floor, LATENCY)) == 0.0
    assert excess(scored(0.6, 25.0), (floor, LATENCY)) == pytest.approx(0.2 / 0.8 + 5 / 20)
    assert excess(scored(0.6, 25.0), (ACCURACY,)) == 0.0


def test_feasible_ranks_before_infeasible_then_excess_then_cost() -> None:
    objectives = (ACCURACY, LATENCY)
    in_order = [scored(0.9, 10.0), scored(0.7, 5.0), scored(0.7, 6.0), scored(0.95, 21.0), scored(0.99, 30.0)]
    assert sorted(reversed(in_order), key=lambda one: rank_key(one, objectives)) == in_order


@pytest.mark.parametrize("limit", [float("nan"), float("inf")])
def test_a_limit_is_finite(limit: float) -> None:
    with pytest.raises(ValueError, match="give a finite number"):
        Objective("accuracy", "maximize", limit=limit)


def test_a_goal_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="allowed: maximize, minimize"):
        Objective("accuracy", "max")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_scores_are_finite(value: float) -> None:
    with pytest.raises(ValueError, match="record a failure instead"):
        Evaluation(PROPOSAL, {"accuracy": value})


def test_an_evaluation_has_scores_or_a_failure() -> None:
    for scores, failure in (({}, None), ({"accuracy": 0.5}, "failed")):
        with pytest.raises(ValueError, match="scores or a failure"):
            Evaluation(PROPOSAL, scores, failure=failure)


@pytest.mark.parametrize("values", [(0, 1.0, 1.0), (1, 0.0, 1.0), (1, 1.1, 1.0), (1, 1.0, 0.0)])
def test_a_fidelity_is_within_its_ranges(values: tuple[int, float, float]) -> None:
    with pytest.raises(ValueError, match="is not a fidelity"):
        Fidelity(*values)
