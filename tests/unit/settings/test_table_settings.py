"""Objectives that only a benchmark has, and settings of tables, as params.yaml writes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tasks import assembly

ErrorAfter = Callable[[Callable[[dict[str, Any]], None]], str]


def test_names_of_a_benchmark_have_their_goal_and_unit() -> None:
    found = [assembly.objective(name) for name in ("cifar100_validation_accuracy", "pixel3_latency_ms")]
    assert [(each.name, each.goal, each.unit) for each in found] == [
        ("cifar100_validation_accuracy", "maximize", ""),
        ("pixel3_latency_ms", "minimize", "ms"),
    ]


@pytest.mark.parametrize(
    ("name", "evaluator", "message"),
    [
        (
            "pixel3_latency_ms",
            "low_fidelity",
            "params.yaml: search.strategies.random_search: unknown proxy 'pixel3_lat",
        ),
        (
            "cifar9_validation_accuracy",
            "tabular",
            "objective 'cifar9_validation_accuracy' is not in the table; allowed: ",
        ),
        ("pixel3_latency", "tabular", "has 'pixel3_latency' (did you mean 'latency_ms'?); allowed: "),
    ],
)
def test_an_objective_that_the_evaluator_does_not_have(
    error_after: ErrorAfter, name: str, evaluator: str, message: str
) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["evaluators"]["tabular"] = {"path": "/nowhere/table.csv.gz"}
        document["search"]["strategies"]["random_search"] |= {"evaluator": evaluator, "objectives": [name]}

    assert message in error_after(change)


def test_settings_of_tables_are_checked(error_after: ErrorAfter) -> None:
    def change(document: dict[str, Any]) -> None:
        document["search"]["evaluators"]["tabular"] = {"path": "/nowhere/table.csv.gz", "epochs": 0}

    assert "params.yaml: search.evaluators.tabular.epochs" in error_after(change)


def test_what_changes_while_it_is_used_is_not_deduplicated(error_after: ErrorAfter) -> None:
    def everywhere(document: dict[str, Any]) -> None:
        document["search"]["budget"]["deduplicate"] = True

    def in_one_search(document: dict[str, Any]) -> None:
        document["search"]["strategies"]["random_search"]["deduplicate"] = True

    assert error_after(everywhere).endswith("cannot be remembered; set deduplicate to false")
    assert error_after(in_one_search) == ""
