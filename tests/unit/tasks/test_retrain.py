"""`python -m tasks.retrain`: which ranks it takes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.space import HasReference
from tasks import assembly, retrain
from tasks.settings import SettingsError, load
from tasks.stage import Stage


@pytest.mark.parametrize("rank", ["-1", "2"])
def test_a_rank_that_the_settings_lack_is_one_line(
    rank: str,
    make_checkout: Callable[..., Stage],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(make_checkout().root)
    monkeypatch.setattr(sys, "argv", ["retrain", "--rank", rank])
    assert retrain.main() == 2
    assert capsys.readouterr().err == f"error: --rank is {rank}; retrain.ranks of params.yaml has 0, 1\n"


def test_ranks_of_the_settings_do_not_differ_in_what_decides_them(make_checkout: Callable[..., Stage]) -> None:
    settings = make_checkout().settings
    assert retrain._identity_of_rank(settings, 1) == retrain._identity_of_rank(settings, 0)


def retrained(stage: Stage, architecture: Architecture, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Run the stage for a candidate and return metrics.json, with what is submitted to tracking."""
    submitted: dict[str, float] = {}
    monkeypatch.setattr(retrain, "submit", lambda *given, metrics, **others: submitted.update(metrics))
    chosen = {"architecture": architecture.key, "proposed_by": []}
    write_json(stage.root / retrain.SELECTION, {"candidates": [chosen]})
    retrain.retrain(stage, 0)
    metrics: dict[str, Any] = json.loads((stage.root / "results/retrain/0/metrics.json").read_bytes())
    return {**metrics, "submitted": submitted}


def test_variants_are_trained_alike(make_graph_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = {"epochs": 2, "batch_size": 8, "learning_rate": 0.05, "optimizer": "adam"}
    stage = make_graph_checkout(retrain={"seeds": [0, 1], "ranks": [0], "schedule": schedule, "variants": True})
    space = assembly.space(stage.settings)
    assert isinstance(space, HasReference)
    pooled = retrained(stage, space.reference(), monkeypatch)
    variant = pooled["variants"]["without pooling"]
    assert variant["seeds"] == [0, 1]
    assert variant["architecture"] != pooled["architecture"]
    assert pooled["submitted"]["without_pooling_test_accuracy"] == variant["test_accuracy"]["mean"]
    plain = retrained(stage, Architecture.from_key(variant["architecture"]), monkeypatch)
    assert plain["test_accuracy"] == variant["test_accuracy"]
    assert plain["variants"]["without pooling"]["test_accuracy"] == plain["test_accuracy"]


def test_variants_of_a_space_that_knows_none_are_one_line(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout()
    path = stage.root / "params.yaml"
    path.write_text(path.read_text().replace("retrain:", "retrain:\n  variants: true", 1))
    with pytest.raises(SettingsError, match="is true, and space nasbench201 knows no variants"):
        load(path)
