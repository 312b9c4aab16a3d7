"""Choosing candidates: a quota for each search, one entry a network, one common score, and a reason for each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.data import manifest
from nas_core.evaluation import Evaluation, Proposal
from nas_core.spaces import nasbench201
from tasks import assembly, select
from tasks.stage import Stage

SPACE = nasbench201.build(channels=2, cells_per_stage=1)
# options: none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3
A, B, C, D, E = (
    Architecture("nasbench201", decisions)
    for decisions in [
        (3, 3, 3, 3, 3, 3),
        (3, 1, 2, 1, 3, 1),
        (2, 2, 2, 2, 2, 2),
        (3, 0, 0, 3, 0, 3),
        (1, 1, 1, 1, 1, 1),
    ]
)
# nothing but zeros follows the node that the first edge leads to, so it makes no difference
TWIN, TWIN_AGAIN = Architecture("nasbench201", (3, 0, 0, 2, 0, 0)), Architecture("nasbench201", (1, 0, 0, 2, 0, 0))


class Scripted:
    """Gives each architecture the accuracy that a table says; what is not in it fails."""

    def __init__(self, accuracies: Mapping[Architecture, float]) -> None:
        self._accuracies = accuracies

    def prepare(self, strategy: object) -> None:
        pass

    def evaluate(self, proposals: Sequence[Proposal]) -> list[Evaluation]:
        return [self._evaluation(proposal) for proposal in proposals]

    def _evaluation(self, proposal: Proposal) -> Evaluation:
        if proposal.architecture not in self._accuracies:
            return Evaluation(proposal, seconds=0.0, failure="FloatingPointError: the loss is not finite")
        scores = {
            "validation_accuracy": self._accuracies[proposal.architecture],
            "num_parameters": 10.0,
            "flops": float(sum(proposal.architecture.decisions)),
        }
        return Evaluation(proposal, scores, 0.0)

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        pass


def found_by(root: Path, key: str, repetitions: Sequence[Sequence[tuple[Architecture, float | None]]]) -> None:
    """Write the recommendations of a search: for each seed its best, the recommended one first."""
    content = {
        "format": 1,
        "search": key,
        "objectives": [{"name": "validation_accuracy", "goal": "maximize", "unit": "", "limit": None}],
        "repetitions": [
            {
                "seed": seed,
                "best": [
                    {
                        "architecture": architecture.key,
                        "canonical": SPACE.canonical(architecture).key,
                        "scores": {} if score is None else {"validation_accuracy": score},
                        "recommended": place == 0,
                    }
                    for place, (architecture, score) in enumerate(best)
                ],
            }
            for seed, best in enumerate(repetitions)
        ],
    }
    folder = root / f"results/search/{key}"
    write_json(folder / "recommendations.json", content)
    manifest.write(folder)


@pytest.fixture
def run_select(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[dict[str, Any], Path]]:
    """Return a function that selects from searches, with scripted scores for each seed."""

    def run(
        searches: Mapping[str, Sequence[Sequence[tuple[Architecture, float | None]]]],
        accuracies: Mapping[int, Mapping[Architecture, float]],
        per_strategy: int = 4,
        objectives: Sequence[Any] = ("validation_accuracy",),
    ) -> tuple[dict[str, Any], Path]:
        stage = make_checkout(
            search={
                "objectives": list(objectives),
                "strategies": {key: {"strategy": "random_search", "evaluator": "low_fidelity"} for key in searches},
            },
            select={"per_strategy": per_strategy, "seeds": list(accuracies)},
        )
        for key, repetitions in searches.items():
            found_by(stage.root, key, repetitions)
        monkeypatch.setattr(
            assembly, "evaluator", lambda plug_in, space, goals, seed, load, num_steps: Scripted(accuracies[seed])
        )
        monkeypatch.setattr(select, "submit", lambda *args, **kwargs: None)
        select.select(stage)
        manifest.verify(stage.root / "results/select")
        return json.loads((stage.root / select.SELECTION).read_bytes()), stage.root

    return run


def test_candidates_are_ranked_by_their_mean_on_the_common_evaluator(run_select: Any) -> None:
    searches = {"one": [[(A, 0.9), (B, 0.8)]], "two": [[(C, 0.1)]]}
    selection, root = run_select(searches, {0: {A: 0.5, B: 0.7, C: 0.6}, 1: {A: 0.6, B: 0.5, C: 0.8}})
    assert [entry["architecture"] for entry in selection["pool"]] == [C.key, B.key, A.key]
    assert [entry["architecture"] for entry in selection["candidates"]] == [C.key, B.key]  # two ranks
    assert [entry["rank"] for entry in selection["candidates"]] == [0, 1]
    best = selection["candidates"][0]
    assert best["validation_accuracy"]["mean"] == pytest.approx(0.7)
    assert best["validation_accuracy"]["standard_deviation"] == pytest.approx(0.02**0.5)
    assert best["validation_accuracy"]["values"] == [0.6, 0.8]
    assert best["proposed_by"] == [{"search": "two", "seed": 0, "how": "recommendation", "own_score": 0.1}]
    assert best["reason"] == (
        "number 1 of 3 networks by mean validation accuracy, 70.00 % over 2 seeds (standard deviation 14.14); "
        "proposed by two (seed 0)"
    )
    assert best["official_name"] == SPACE.to_name(C)
    metrics = json.loads((root / "metrics/select.json").read_bytes())
    assert metrics["num_scored"] == 3
    assert metrics["best_validation_accuracy"]["mean"] == pytest.approx(0.7)


def test_one_network_proposed_under_several_names_is_one_entry(run_select: Any) -> None:
    assert SPACE.canonical(TWIN) == SPACE.canonical(TWIN_AGAIN)
    searches = {"one": [[(TWIN, 0.5)], [(TWIN_AGAIN, 0.4), (A, 0.3)]], "two": [[(TWIN_AGAIN, None)]]}
    selection, _ = run_select(searches, {0: {TWIN: 0.5, A: 0.4}})
    assert [entry["architecture"] for entry in selection["pool"]] == [TWIN.key, A.key]
    assert selection["pool"][0]["proposed_by"] == [
        {"search": "one", "seed": 0, "how": "recommendation", "own_score": 0.5},
        {"search": "one", "seed": 1, "how": "recommendation", "own_score": 0.4},
        {"search": "two", "seed": 0, "how": "recommendation", "own_score": None},
    ]


def test_every_search_has_a_quota_that_its_repetitions_fill_by_turns(run_select: Any) -> None:
    searches = {"one": [[(A, 0.9), (B, 0.8), (C, 0.7)], [(D, 0.2), (E, 0.1)]], "two": [[(E, 0.5)]]}
    accuracies = dict.fromkeys([A, B, C, D, E], 0.5)
    selection, _ = run_select(searches, {0: accuracies}, per_strategy=2)
    assert {entry["architecture"] for entry in selection["pool"]} == {A.key, D.key, E.key}


def test_ties_go_to_the_network_of_fewer_operations(run_select: Any) -> None:
    selection, _ = run_select({"one": [[(A, 0.9), (E, 0.8)]]}, {0: {A: 0.5, E: 0.5}})
    assert [entry["architecture"] for entry in selection["candidates"]] == [E.key, A.key]


def test_a_network_that_fails_with_any_seed_is_reported_and_not_ranked(run_select: Any) -> None:
    selection, _ = run_select({"one": [[(A, 0.9), (B, 0.8)]]}, {0: {A: 0.9, B: 0.5}, 1: {B: 0.5}})
    assert [entry["architecture"] for entry in selection["candidates"]] == [B.key]
    assert selection["failed"] == [{"architecture": A.key, "failure": "FloatingPointError: the loss is not finite"}]


def test_nothing_to_rank_is_an_error_with_the_first_failure(run_select: Any) -> None:
    with pytest.raises(
        ValueError, match="none of the 2 networks could be scored, the first one: FloatingPointError: t"
    ):
        run_select({"one": [[(A, 0.9), (B, 0.8)]]}, {0: {}})


def test_a_network_over_a_limit_is_listed_and_not_ranked(run_select: Any) -> None:
    objectives = ["validation_accuracy", {"name": "flops", "limit": 12}]
    accuracies = {0: {A: 0.9, C: 0.5, E: 0.4}}  # flops 18, 12 and 6
    selection, _ = run_select({"one": [[(A, 0.9), (C, 0.8), (E, 0.7)]]}, accuracies, objectives=objectives)
    assert [entry["architecture"] for entry in selection["candidates"]] == [C.key, E.key]
    assert [entry["architecture"] for entry in selection["pool"]] == [C.key, E.key]
    assert selection["over_limit"] == [{"architecture": A.key, "exceeds": ["flops 18, allowed is at most 12"]}]


def test_a_limit_on_accuracy_counts_for_the_mean_over_seeds(run_select: Any) -> None:
    objectives = [{"name": "validation_accuracy", "limit": 0.5}]
    accuracies = {0: {A: 0.4, B: 0.6}, 1: {A: 0.5, B: 0.4}}
    selection, _ = run_select({"one": [[(A, 0.9), (B, 0.8)]]}, accuracies, objectives=objectives)
    assert [entry["architecture"] for entry in selection["candidates"]] == [B.key]
    assert selection["over_limit"] == [
        {"architecture": A.key, "exceeds": ["validation_accuracy 0.45, allowed is at least 0.5"]}
    ]


def test_nothing_within_the_limits_is_an_error_that_names_one(run_select: Any) -> None:
    objectives = ["validation_accuracy", {"name": "flops", "limit": 5}]
    with pytest.raises(ValueError, match=f"none of the 1 networks can be a candidate; {A.key}.* flops 18, allowed"):
        run_select({"one": [[(A, 0.9)]]}, {0: {A: 0.9}}, objectives=objectives)


def test_limits_decide_the_results(make_checkout: Callable[..., Stage]) -> None:
    def identity(name: str, objectives: list[Any]) -> object:
        return select.identity(make_checkout(name, search={"objectives": objectives}).settings)

    free = identity("free", ["validation_accuracy", "flops"])
    assert identity("other", ["validation_accuracy"]) == free
    assert identity("limited", ["validation_accuracy", {"name": "flops", "limit": 5}]) != free
