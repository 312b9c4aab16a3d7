"""The stage `transfer` on graphs: to other classes and larger graphs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nas_core.randomness import Streams
from nas_core.task import TaskShape
from tasks import data, transfer
from tasks.candidate import load_body, load_network, read_description
from tasks.finalists import finalists
from tasks.stage import Stage

MakeCheckout = Callable[..., Stage]
METHODS = ("linear_probe", "fine_tuning", "retraining")


@pytest.fixture(autouse=True)
def submitted(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(transfer, "submit", lambda stage, started, **fields: records.append(fields))
    return records


def test_graph_networks_are_taken_over_by_every_method(
    make_graph_checkout: MakeCheckout, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_graph_checkout()
    monkeypatch.chdir(stage.root)
    assert transfer.main() == 0
    result = json.loads((stage.root / transfer.RESULT).read_bytes())
    assert (result["source"], result["task"]["name"], result["task"]["num_classes"]) == ("rings", "larger_rings", 2)
    # the number of chords shows in the mean degree
    assert result["logistic_regression"]["test_accuracy"] > 0.8
    for network in result["networks"]:
        found = network["methods"]
        assert set(found) == set(METHODS)
        assert [found[method]["normalization"] for method in METHODS] == ["source", "source", "own"]
        assert found["linear_probe"]["num_parameters"] == found["fine_tuning"]["num_parameters"]
        # twice the layers in each block
        assert found["retraining"]["num_parameters"] > found["fine_tuning"]["num_parameters"]
        assert all(len(found[method]["test_accuracy"]["values"]) == 2 for method in METHODS)


def test_only_the_head_of_a_graph_network_is_new(make_graph_checkout: MakeCheckout) -> None:
    stage = make_graph_checkout()
    for member in finalists(stage.root, (0, 1)):
        trained = load_network(member.folder, "network-1.safetensors").state_dict()
        description = read_description(member.folder)
        shape = TaskShape(description.task.inputs, (2,))
        network = description.built_space().network(description.architecture, shape, Streams(9).torch("init"))
        own = network.state_dict()
        new = {name for name, value in own.items() if value.shape != trained[name].shape}
        load_body(member.weights(1), network)
        loaded = network.state_dict()
        assert {name for name in loaded if not torch.equal(loaded[name], trained[name])} == new
        assert len(new) == 2


def test_features_of_the_second_set_are_standardized_as_the_network_knows_them(
    make_graph_checkout: MakeCheckout,
) -> None:
    stage = make_graph_checkout()
    path = stage.root / data.TRANSFER / "dataset.json"
    described = json.loads(path.read_bytes())
    path.write_text(json.dumps({**described, "feature_mean": [3.0] * 3}))
    own = next(iter(data.load_transfer_task(stage.root).batches("test", 20)))[0]
    source = data.load_transfer_task(stage.root, statistics=stage.root / data.SEARCH)
    as_source = next(iter(source.batches("test", 20)))[0]
    # means of 3 and 1 at a standard deviation of 2
    torch.testing.assert_close(as_source.x, own.x + 1.0)
