"""The networks to compare with: random ones, distinct or an error, and those that the space names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import graph_checkout
import pytest

from nas_core import variation
from nas_core.architecture import Architecture
from nas_core.space import HasBaselines
from nas_core.spaces import nasbench201
from tasks import assembly, baselines
from tasks.stage import Stage
from tasks.training import Job, Outcome, train

SPACE = nasbench201.build(channels=2, cells_per_stage=1)


def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any], dict[str, float]]:
    """Run the stage; return baselines.json, metrics/baselines.json and what is submitted to tracking."""
    submitted: dict[str, float] = {}
    monkeypatch.setattr(baselines, "submit", lambda *given, metrics, **others: submitted.update(metrics))
    baselines.baselines(stage)
    found = json.loads((stage.root / "results/baselines/baselines.json").read_bytes())
    return found, json.loads((stage.root / "metrics/baselines.json").read_bytes()), submitted


def test_random_networks_are_distinct_and_the_same_for_the_same_seed(make_checkout: Callable[..., Stage]) -> None:
    settings = make_checkout(baselines={"random_architectures": 20}).settings
    found = baselines._random(SPACE, settings)
    assert len({SPACE.canonical(architecture) for architecture in found}) == 20
    assert found == baselines._random(SPACE, settings)


def test_a_space_with_too_few_networks_is_one_line(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Architecture("nasbench201", (3, 3, 3, 3, 3, 3))
    monkeypatch.setattr(variation, "sample", lambda space, generator: only)
    settings = make_checkout(baselines={"random_architectures": 2}).settings
    with pytest.raises(ValueError, match="is 2; 2000 random draws from space nasbench201 gave 1 distinct networks"):
        baselines._random(SPACE, settings)


def test_hand_designed_networks_that_a_space_names_are_trained_like_the_reference(
    make_graph_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    # with the head that the hand-designed networks have
    space_settings = {**graph_checkout.SPACE, "heads": ["mlp"]}
    stage = make_graph_checkout(baselines={"random_architectures": 2}, search={"space": space_settings})
    space = assembly.space(stage.settings)
    assert isinstance(space, HasBaselines)
    named = space.baselines()
    assert named
    found, metrics, submitted = run(stage, monkeypatch)
    assert {name: each["architecture"] for name, each in found["named"].items()} == {
        name: architecture.key for name, architecture in named.items()
    }
    for name, each in found["named"].items():
        assert each["seeds"] == found["reference"]["seeds"] == [0, 1]
        assert len(each["test_accuracy"]["values"]) == 2
        assert set(each) == set(found["reference"])
        assert metrics["named"][name]["test_accuracy"]["mean"] == each["test_accuracy"]["mean"]
        assert submitted[f"{name}_test_accuracy"] == each["test_accuracy"]["mean"]
    assert 0 <= found["logistic_regression"]["test_accuracy"] <= 1
    assert (stage.root / "results/baselines/reference/network.safetensors").exists()


def test_a_space_that_names_none_is_compared_as_before(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, metrics, submitted = run(make_checkout(), monkeypatch)
    assert found["named"] == {}
    assert set(metrics) == {"reference", "random", "logistic_regression", "training_seconds", "seconds"}
    assert not {name for name in submitted if not name.startswith(("reference_", "random_", "logistic_"))}


def test_a_network_that_is_there_twice_is_trained_once(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Architecture("nasbench201", (3, 3, 3, 3, 3, 3))
    monkeypatch.setattr(baselines, "_random", lambda space, settings: [space.reference(), other])
    trained: list[int] = []

    def train_all(jobs: list[Job], *given: Any) -> list[Outcome]:
        trained.extend(job.seed for job in jobs)
        return [train(job) for job in jobs]

    monkeypatch.setattr(baselines, "train_all", train_all)
    found, _, _ = run(make_checkout(), monkeypatch)
    assert trained == [0, 1, 0]
    values = found["reference"]["test_accuracy"]["values"]
    assert found["random"]["test_accuracy"]["values"][0] == values[0]
