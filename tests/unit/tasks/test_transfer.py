"""The stage `transfer`: where each method starts, what it sees, and that it goes on after a kill."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from nas_core.randomness import Streams
from nas_core.task import TaskShape
from nas_core.training.trainer import Trainer
from tasks import data, transfer, transfer_methods
from tasks.candidate import load_body, load_network, read_description
from tasks.finalists import finalists
from tasks.stage import Stage
from tasks.training import scaled

METHODS = ("linear_probe", "fine_tuning", "retraining")


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(transfer, "submit", lambda stage, started, **fields: records.append(fields))
    return records


def transferred(stage: Stage) -> dict[str, Any]:
    transfer.transfer(stage)
    result: dict[str, Any] = json.loads((stage.root / transfer.RESULT).read_bytes())
    return result


def test_every_network_is_taken_over_by_every_method(
    make_checkout: Callable[..., Stage], submitted: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_checkout()
    monkeypatch.chdir(stage.root)
    assert transfer.main() == 0
    result = json.loads((stage.root / transfer.RESULT).read_bytes())
    assert [network["name"] for network in result["networks"]] == ["rank 0", "reference"]
    assert result["source"] == "shapes"
    assert result["task"] == {
        "name": "other_shapes",
        "num_classes": 4,
        "num_train": 40,
        "num_validation": 20,
        "num_test": 20,
    }
    assert result["logistic_regression"]["test_accuracy"] > 0.9
    for network in result["networks"]:
        found = network["methods"]
        assert set(found) == set(METHODS)
        assert found["linear_probe"]["seeds"] == [0, 1]
        assert found["fine_tuning"]["seeds"] == found["retraining"]["seeds"] == [3, 4]
        assert [found[method]["normalization"] for method in METHODS] == ["source", "source", "own"]
        assert all(len(found[method]["test_accuracy"]["values"]) == 2 for method in METHODS)
        # two channels at first, doubled twice: eight features, four classes
        assert found["linear_probe"]["num_trained_parameters"] == (8 + 1) * 4
        assert found["linear_probe"]["num_parameters"] == found["fine_tuning"]["num_parameters"]
        assert found["retraining"]["num_parameters"] > found["fine_tuning"]["num_parameters"]
    mean = result["networks"][0]["methods"]["fine_tuning"]["test_accuracy"]["mean"]
    metrics = json.loads((stage.root / "metrics/transfer.json").read_bytes())
    assert metrics["rank_0"]["fine_tuning"]["test_accuracy"]["mean"] == mean
    assert submitted[0]["metrics"]["rank_0_fine_tuning_test_accuracy"] == mean


def test_finished_trainings_are_not_trained_again(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_checkout()
    transferred(stage)
    first = (stage.root / transfer.RESULT).read_bytes()

    def refuse(self: Trainer, *, validate: bool = False) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr(Trainer, "run_epoch", refuse)
    transferred(stage)
    assert (stage.root / transfer.RESULT).read_bytes() == first
    assert b"seconds" not in first


def test_a_stopped_training_ends_as_one_that_was_not(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"schedule": {"epochs": 2, "batch_size": 16}, "methods": ["fine_tuning"]}
    whole = transferred(make_checkout("whole", transfer=settings))
    stage = make_checkout("stopped", transfer=settings)
    original, calls = Trainer.run_epoch, 0

    def stop_at_the_fourth(self: Trainer, *, validate: bool = False) -> object:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return original(self, validate=validate)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run_epoch", stop_at_the_fourth)
        with pytest.raises(KeyboardInterrupt):
            transferred(stage)
    assert transferred(stage) == whole


def test_fine_tuning_starts_from_the_chosen_network_under_a_new_head(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout()
    member = finalists(stage.root, (0, 1))[0]
    trained = load_network(member.folder, "network-1.safetensors").state_dict()
    description = read_description(member.folder)
    for num_classes in (4, 3):
        shape = TaskShape((1, 8, 8), (num_classes,))
        network = description.built_space().network(description.architecture, shape, Streams(9).torch("init"))
        head = network.classifier.weight.detach().clone()
        load_body(member.weights(member.chosen_seed), network)
        assert torch.equal(network.classifier.weight, head)
        others = [name for name in trained if not name.startswith("classifier.")]
        assert others
        assert all(torch.equal(network.state_dict()[name], trained[name]) for name in others)


def test_weights_of_another_network_are_refused(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout()
    candidate, reference = finalists(stage.root, (0, 1))
    with pytest.raises(ValueError, match="does not fit the network"):
        load_body(candidate.weights(0), reference.network(0, "cpu"))


def test_only_networks_that_go_on_see_the_first_normalization(make_checkout: Callable[..., Stage]) -> None:
    stage = make_checkout()
    own = next(iter(data.load_transfer_task(stage.root).batches("test", 20)))[0]
    source = data.load_transfer_task(stage.root, statistics=stage.root / data.SEARCH)
    as_source = next(iter(source.batches("test", 20)))[0]
    # means of 0.4 and 0.3 at a standard deviation of 0.25
    torch.testing.assert_close(as_source, own + 0.4)
    plan = transfer_methods.Plan(
        schedule=transfer_methods.TrainingSchedule(epochs=1),
        seeds=(0,),
        width=1.0,
        depth=3.0,
        root=stage.root,
        work=stage.work,
        device="cpu",
        threads=1,
        workers=1,
    )
    member = finalists(stage.root, (0, 1))[0]
    (tuned,), (deeper,) = plan.jobs(member, "fine_tuning"), plan.jobs(member, "retraining")
    assert (tuned.statistics, tuned.depth, tuned.initial) == (
        stage.root / data.SEARCH,
        1.0,
        member.folder / "network-1.safetensors",
    )
    assert (deeper.statistics, deeper.depth, deeper.initial) == (None, 3.0, None)


def test_statistics_of_other_shapes_are_refused(make_checkout: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_checkout()
    described = json.loads((stage.root / data.SEARCH / "dataset.json").read_bytes())
    (tmp_path / "dataset.json").write_text(json.dumps({**described, "image_shape": [9, 9, 1]}))
    with pytest.raises(ValueError, match="prepare the data again"):
        data.load_transfer_task(stage.root, statistics=tmp_path)


def test_a_space_of_one_size_cannot_be_scaled() -> None:
    class OneSize:
        name = "one_size"

    space: Any = OneSize()
    assert scaled(space, 1.0, 1.0) is space
    with pytest.raises(ValueError, match="set both to 1"):
        scaled(space, 1.0, 2.0)
