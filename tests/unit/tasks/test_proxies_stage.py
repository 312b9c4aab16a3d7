"""A study of proxies: what it writes, that it goes on where it was, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nas_core.architecture import Architecture
from nas_core.evaluators import zero_cost
from nas_core.randomness import Streams
from tasks import proxies
from tasks.settings import SettingsError
from tasks.stage import Stage

STUDY: dict[str, Any] = {
    "sample_size": 5,
    "proxies": ["synflow", "l2_norm"],
    "batch_size": 4,
    "accuracy": {"name": "low_fidelity", "epochs": 1},
    "num_resamples": 100,
}
MakeCheckout = Callable[..., Stage]


def results(stage: Stage) -> tuple[dict[str, Any], list[dict[str, str]]]:
    folder = stage.root / "results/proxies/small"
    with (folder / "scores.csv").open() as file:
        return json.loads((folder / "proxies.json").read_text()), list(csv.DictReader(file))


def test_a_study_says_how_scores_go_with_accuracy_and_cost(
    make_checkout: MakeCheckout, capsys: pytest.CaptureFixture[str]
) -> None:
    stage = make_checkout(proxies={"small": STUDY})
    proxies.study_proxies(stage, "small")
    document, rows = results(stage)
    measures = {entry["name"]: entry for entry in document["measures"]}
    assert {"accuracy", "synflow", "l2_norm", "num_parameters", "flops", "latency_ms"} <= set(measures)
    assert len(rows) == document["num_networks"] == 5
    assert len({row["architecture"] for row in rows}) == 5
    assert measures["synflow"]["with"]["accuracy"]["spearman"].keys() == {"estimate", "low", "high"}
    assert measures["flops"]["with"].keys() >= {"accuracy", "latency_ms"}
    place = document["between"]["names"].index("synflow")
    assert document["between"]["spearman"][place][place] == pytest.approx(1)
    assert document["energy"] == "measured" or "not measured" in document["energy"]
    assert "| synflow |" in capsys.readouterr().out


def test_a_killed_study_goes_on_and_ends_alike(make_checkout: MakeCheckout, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, killed = (make_checkout(name, proxies={"small": STUDY}) for name in ("whole", "killed"))
    proxies.study_proxies(whole, "small")
    scored: list[str] = []
    original = zero_cost.ZeroCostScores.__call__

    def dying(self: zero_cost.ZeroCostScores, task: Any, proposal: Any) -> Any:
        scored.append(proposal.architecture.key)
        if len(scored) == 12:
            raise KeyboardInterrupt
        return original(self, task, proposal)

    monkeypatch.setattr(zero_cost.ZeroCostScores, "__call__", dying)
    with pytest.raises(KeyboardInterrupt):
        proxies.study_proxies(killed, "small")
    proxies.study_proxies(killed, "small")
    without_clock = [
        [{name: value for name, value in row.items() if name != "latency_ms"} for row in results(stage)[1]]
        for stage in (whole, killed)
    ]
    assert without_clock[0] == without_clock[1]
    num_proxies = len(results(whole)[0]["measures"]) - 1
    assert len(scored) == 5 * num_proxies + 1


def test_accuracy_may_come_from_a_table(make_checkout: MakeCheckout, tmp_path: Path) -> None:
    space = {"name": "nasbench201", "channels": 2, "cells_per_stage": 1}
    accuracy = {"name": "tabular", "path": str(tmp_path / "none.csv.gz"), "reported": "test_accuracy"}
    stage = make_checkout(proxies={"small": {**STUDY, "space": space, "accuracy": accuracy}})
    with pytest.raises(FileNotFoundError):
        proxies.study_proxies(stage, "small")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxies": ["synflo"]}, "proxies.small.proxies has 'synflo'.*synflow"),
        ({"accuracy": {"name": "low_fidelity", "epoch": 1}}, "epoch"),
        ({"space": "nasbench2001"}, "nasbench201"),
        ({"sample_size": 1}, "sample_size"),
        ({"space": "gnn_space.space"}, r"proxies\.small\.space is .*, whose networks take graphs"),
        ({"accuracy": {"name": "zero_cost"}}, "trains nothing"),
    ],
)
def test_a_wrong_study_is_one_line(make_checkout: MakeCheckout, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        make_checkout(proxies={"small": {**STUDY, **changes}})


def test_an_unknown_label_is_one_line(make_checkout: MakeCheckout) -> None:
    with pytest.raises(SettingsError, match=r"proxies of params\.yaml has small"):
        proxies.identity(make_checkout(proxies={"small": STUDY}).settings, "smal")


def test_a_space_that_is_too_small_is_refused() -> None:
    class One:
        name = "one"
        choices = ()

        def is_valid(self, architecture: Architecture) -> bool:
            return True

    with pytest.raises(ValueError, match="lower sample_size"):
        proxies.drawn(One(), 2, Streams(0))  # type: ignore[arg-type]
