"""What a search hands on: its best distinct networks, and its numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up_table

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.objectives import Objective
from nas_core.spaces import nasbench201
from tasks import curves, search
from tasks.stage import Stage

SPACE = nasbench201.build(channels=2, cells_per_stage=1)
A, B, C = (Architecture("nasbench201", decisions) for decisions in [(3,) * 6, (2,) * 6, (1,) * 6])
ACCURACY = Objective("validation_accuracy", "maximize")
LIMITED = (ACCURACY, Objective("flops", "minimize", limit=10.0))


def scored(architecture: Architecture, accuracy: float, flops: float = 1.0) -> Evaluation:
    return Evaluation(Proposal(architecture), {"validation_accuracy": accuracy, "flops": flops}, 1.0)


def best(
    evaluations: list[Evaluation], goals: tuple[Objective, ...], recommended: Architecture
) -> list[tuple[str, float | None, int | None]]:
    found = search._best(SPACE, goals, search.Repetition(0, recommended, tuple(evaluations)))
    return [(each["architecture"], each["scores"].get("validation_accuracy"), each["evaluation"]) for each in found]


def test_the_recommendation_comes_first_then_the_best() -> None:
    evaluations = [scored(A, 0.5), scored(B, 0.9), scored(C, 0.7)]
    assert best(evaluations, (ACCURACY,), A) == [(A.key, 0.5, 0), (B.key, 0.9, 1), (C.key, 0.7, 2)]


def test_what_exceeds_a_limit_is_left_out_unless_recommended() -> None:
    evaluations = [scored(A, 0.9, 20), scored(B, 0.8, 11), scored(C, 0.1, 10)]
    assert best(evaluations, LIMITED, C) == [(C.key, 0.1, 2)]
    assert best(evaluations, LIMITED, A) == [(A.key, 0.9, 0), (C.key, 0.1, 2)]


def test_a_search_that_keeps_no_limit_has_no_best_score() -> None:
    repetition = search.Repetition(0, A, (scored(A, 0.9, 20),))
    steps = {0: curves.curve(repetition.evaluations, LIMITED)}
    assert search._metrics([repetition], steps, ACCURACY, 1.0)["best"] is None


def test_scores_of_a_short_training_rank_behind_those_of_a_long_one() -> None:
    def trained(architecture: Architecture, epochs: int, accuracy: float) -> Evaluation:
        return Evaluation(Proposal(architecture, Fidelity(epochs)), {"validation_accuracy": accuracy}, 1.0)

    evaluations = [trained(A, 1, 0.9), trained(B, 1, 0.8), trained(C, 1, 0.7), trained(B, 4, 0.5), trained(C, 4, 0.6)]
    assert best(evaluations, (ACCURACY,), C) == [(C.key, 0.6, 4), (B.key, 0.5, 3), (A.key, 0.9, 0)]
    steps = curves.curve(evaluations, (ACCURACY,))
    assert [step.best for step in steps] == [0.9, 0.9, 0.9, 0.5, 0.6]


def test_an_architecture_counts_with_its_last_score() -> None:
    evaluations = [scored(A, 0.9), scored(B, 0.8), scored(A, 0.3), scored(C, 0.1), scored(C, 0.5)]
    assert best(evaluations, (ACCURACY,), B) == [(B.key, 0.8, 1), (C.key, 0.5, 4), (A.key, 0.3, 2)]


def test_a_score_that_does_not_change_counts_from_its_first_evaluation() -> None:
    failed = Evaluation(Proposal(A), failure="none")
    evaluations = [scored(A, 0.5), scored(B, 0.5), scored(A, 0.5), failed]
    assert best(evaluations, (ACCURACY,), C) == [(C.key, None, None), (A.key, 0.5, 0), (B.key, 0.5, 1)]


def test_a_search_publishes_its_cheap_scores_apart(make_checkout: Callable[..., Stage]) -> None:
    screen = {"name": "zero_cost", "objectives": ["flops"], "batch_size": 4}
    stage = make_checkout(
        search={
            "objectives": ["num_parameters"],
            "seeds": [0, 1],
            "budget": {"evaluations": 2},
            "evaluators": {"zero_cost": {}},
            "strategies": {
                "assisted": {
                    "strategy": "assisted_evolution",
                    "evaluator": "zero_cost",
                    "screen": screen,
                    "settings": {"pool_size": 5, "population_size": 3},
                }
            },
        }
    )
    search.search(stage, "assisted")
    folder = stage.root / "results/search/assisted"
    assert len((folder / "screen-0.jsonl").read_text().splitlines()) == 1 + 5
    assert len((folder / "archive-0.jsonl").read_text().splitlines()) == 1 + 2
    found = json.loads((folder / "recommendations.json").read_text())
    assert found["num_evaluations"] == 4
    assert found["screen"]["num_evaluations"] == 10
    assert (found["screen"]["name"], found["screen"]["batch_size"]) == ("zero_cost", 4)
    assert [each["name"] for each in found["screen"]["objectives"]] == ["flops"]


def test_repeated_queries_are_reported_and_count_unless_they_are_free(make_checkout: Callable[..., Stage]) -> None:
    def evolution(**settings: Any) -> dict[str, Any]:
        sizes = {"population_size": 2, "tournament_size": 2}
        return {"strategy": "regularized_evolution", "evaluator": "zero_cost", "settings": sizes, **settings}

    stage = make_checkout(
        search={
            "objectives": ["num_parameters"],
            "seeds": [0],
            "budget": {"evaluations": 30},
            "evaluators": {"zero_cost": {}},
            "strategies": {"counted": evolution(), "free": evolution(deduplicate=True)},
        }
    )
    found = {}
    for key in ("counted", "free"):
        work = stage.work / key
        work.mkdir()
        search.search(replace(stage, work=work), key)
        summary = json.loads((stage.root / f"results/search/{key}/recommendations.json").read_text())
        (found[key],) = summary["repetitions"]
    assert found["counted"]["num_evaluations"] == 30
    assert found["counted"]["num_repeated"] > 0
    assert found["free"]["num_evaluations"] - found["free"]["num_repeated"] == 30


def test_how_good_a_surrogate_is_stands_beside_what_it_found(
    make_checkout: Callable[..., Stage], tmp_path: Path
) -> None:
    table = made_up_table.write(tmp_path / "table.csv", lambda decisions: 10.0 + 3 * sum(decisions))
    stage = make_checkout(
        search={
            "seeds": [0],
            "objectives": ["validation_accuracy"],
            "workers": 2,
            "budget": {"evaluations": 3},
            "evaluators": {
                "surrogate": {
                    "path": str(table),
                    "benchmark": "nasbench201",
                    "num_examples": 200,
                    "predictor_settings": {"num_trees": 10},
                }
            },
            "strategies": {"random_search": {"evaluator": "surrogate"}},
        }
    )
    search.search(stage, "random_search")
    found = json.loads((stage.root / "results/search/random_search/recommendations.json").read_text())
    quality = found["repetitions"][0]["quality"]["validation_accuracy"]
    assert quality["num_examples"] == 20
    assert quality["kendall_tau"] > 0.2
