"""The stage `robustness` on graphs: structural noise, stability, and sets that come with the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from gnn_space.shifts import suite
from nas_core import catalog
from nas_core.randomness import Streams
from nas_core.task import DescribesShifts
from nas_core.training.prediction import predict
from tasks import data, robustness
from tasks.finalists import finalists
from tasks.settings import SettingsError
from tasks.stage import Stage

MakeCheckout = Callable[..., Stage]


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(robustness, "submit", lambda stage, started, **fields: records.append(fields))
    return records


def measured(stage: Stage) -> dict[str, Any]:
    robustness.robustness(stage)
    result: dict[str, Any] = json.loads((stage.root / robustness.RESULT).read_bytes())
    return result


def test_graphs_go_through_the_whole_stage(
    make_graph_checkout: MakeCheckout, monkeypatch: pytest.MonkeyPatch, submitted: list[dict[str, Any]]
) -> None:
    stage = make_graph_checkout()
    monkeypatch.chdir(stage.root)
    assert robustness.main() == 0
    result = json.loads((stage.root / robustness.RESULT).read_bytes())
    assert {name: each["family"] for name, each in result["corruptions"].items()} == suite.families()
    assert result["severities"] == [1, 5]
    assert not result["averaged"]["is_published"]
    assert any(note.startswith("no benchmark") for note in result["notes"])
    assert result["natural_shift"] == {"name": "drawn", "num_images": 12}
    assert result["shifted_sets"] == {"base": {"num_examples": 9}, "size": {"num_examples": 8}}
    assert [network["name"] for network in result["networks"]] == ["rank 0", "reference"]
    for network in result["networks"]:
        assert list(network["stability"]["shifts"]) == ["add_edges", "drop_edges"]
        for shift in network["stability"]["shifts"].values():
            low, high = (shift["severities"][severity] for severity in ("1", "5"))
            assert 0 < low["perturbation_size"] < high["perturbation_size"] < 2
            assert 0 < low["output_change"]["mean"] < high["output_change"]["mean"]
            assert len(shift["constant"]["values"]) == 2
        for name, size in (("base", 9), ("size", 8)):
            found = network["shifted_sets"][name]
            assert found["num_examples"] == size
            assert found["interval_of_chosen"]["estimate"] == found["accuracy"]["values"][1]
            clean = 1 - network["clean_error"]["values"][0]
            assert found["accuracy_loss"]["values"][0] == pytest.approx(clean - found["accuracy"]["values"][0])
        assert 0 <= network["out_of_distribution"]["energy"]["auroc"]["mean"] <= 1
    sizes = [network["stability"]["shifts"]["drop_edges"]["severities"]["5"] for network in result["networks"]]
    assert sizes[0]["perturbation_size"] == sizes[1]["perturbation_size"]
    metrics = json.loads((stage.root / "metrics/robustness.json").read_bytes())
    constant = result["networks"][0]["stability"]["constant"]["mean"]
    assert metrics["rank_0"]["stability_constant"] == constant
    assert submitted[0]["metrics"]["rank_0_shifted_base_accuracy"] == metrics["rank_0"]["shifted_base_accuracy"]


def test_tasks_have_the_shifts_that_their_modules_name(
    make_graph_checkout: MakeCheckout, make_checkout: MakeCheckout
) -> None:
    for stage, learning_task in (
        (make_graph_checkout("graphs"), "gnn_space.learning_tasks.graph_classification"),
        (make_checkout("images"), "image_classification"),
    ):
        task = data.load_task(stage.root)
        assert isinstance(task, DescribesShifts)
        assert tuple(task.shifts(1)) == tuple(task.shift_families())
        assert tuple(task.shifts(1)) == catalog.load("learning task", learning_task).shift_names()


def test_changes_are_those_of_the_graphs_whose_errors_are_counted(make_graph_checkout: MakeCheckout) -> None:
    stage = make_graph_checkout()
    result = measured(stage)
    task = data.load_task_with_test(stage.root)
    reference = finalists(stage.root, (0, 1))[-1]
    network = reference.network(0, "cpu")
    clean, labels = predict(network, task, "test")
    generator = Streams(0).child("corruptions").torch("drop_edges 5")
    shifted, _ = predict(network, task, "test", shift=task.shifts(5)["drop_edges"], generator=generator)
    found = result["networks"][-1]
    error = (shifted.argmax(dim=1) != labels).double().mean().item()
    assert found["corruptions"]["drop_edges"]["error"]["5"]["values"][0] == pytest.approx(error)
    before, after = (each - each.mean(dim=1, keepdim=True) for each in (clean, shifted))
    change = (torch.norm(after - before, dim=1).sum() / torch.norm(before, dim=1).sum()).item()
    point = found["stability"]["shifts"]["drop_edges"]["severities"]["5"]
    assert point["output_change"]["values"][0] == pytest.approx(change, rel=1e-4)


def test_a_killed_stage_goes_on_from_the_noise_it_has(make_graph_checkout: MakeCheckout) -> None:
    stage = make_graph_checkout()
    measured(stage)
    first = (stage.root / robustness.RESULT).read_bytes()
    (stage.work / "drop_edges.json").unlink()
    (stage.work / "stability-add_edges.json").unlink()
    measured(stage)
    assert (stage.root / robustness.RESULT).read_bytes() == first


def test_only_noise_of_graphs_can_be_named(make_graph_checkout: MakeCheckout) -> None:
    with pytest.raises(SettingsError, match=r"robustness\.corruptions has 'fog'; allowed: add_edges, drop_edges"):
        make_graph_checkout("fog", robustness={"corruptions": ["fog"]})
    chosen = make_graph_checkout("two", robustness={"corruptions": ["mask_features", "drop_edges"]})
    assert list(measured(chosen)["corruptions"]) == ["drop_edges", "mask_features"]


def test_noise_seen_by_default_must_be_noise_of_graphs(make_graph_checkout: MakeCheckout) -> None:
    shifted = {"objectives": ["validation_accuracy", "shifted_validation_accuracy"]}
    with pytest.raises(SettingsError, match=r"low_fidelity\.seen_shifts has 'speckle_noise' .*; allowed: add_edges,"):
        make_graph_checkout("default", search=shifted)
    seen = {**shifted, "evaluators": {"low_fidelity": {"seen_shifts": ["drop_edges"]}}}
    stage = make_graph_checkout("seen", search=seen)
    assert robustness.seen_by_searches(stage.settings) == {"drop_edges": ["random_search"]}


def test_without_a_structural_shift_there_is_no_stability(make_graph_checkout: MakeCheckout) -> None:
    stage = make_graph_checkout(robustness={"corruptions": ["feature_noise"]})
    assert [network["stability"] for network in measured(stage)["networks"]] == [None, None]
