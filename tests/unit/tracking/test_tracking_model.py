"""A champion is exported, registered, found by its alias and classifies images, with no pickled code."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tasks.tracking import outbox
from tasks.tracking.model import export_model, load_champion
from tasks.tracking.record import ModelRecord
from tasks.tracking.store import open_store

MODEL = ModelRecord("classifier", "champion", "network", "network/example.npy")


def _network() -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.Flatten(), torch.nn.Linear(2 * 6 * 6, 3)
    )


def _load_network(folder):
    network = _network()
    network.load_state_dict(load_file(folder / "weights.safetensors"))
    return network


@pytest.fixture
def network(checkout):
    network = _network().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    (checkout / "network").mkdir()
    save_file(network.state_dict(), checkout / "network" / "weights.safetensors")
    np.save(checkout / MODEL.example_input, np.random.default_rng(0).random((2, 1, 8, 8), dtype=np.float32))
    return network


def test_champion_is_registered_loads_back_and_classifies(checkout, settings, make_record, network, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "retrain@0")
    outbox.submit(make_record(model=MODEL), checkout, settings, load_network=_load_network)
    (checkout / "network" / "weights.safetensors").unlink()
    assert outbox.drain(checkout, settings).num_waiting == 0

    uri = settings.absolute_uri(checkout)
    champion = load_champion(uri, "classifier")
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(champion(images), network(images))

    program = (
        "import sys, mlflow, torch; mlflow.set_tracking_uri(sys.argv[1]);"
        "network = mlflow.pytorch.load_model('models:/classifier@champion');"
        "print(tuple(network(torch.zeros(7, 1, 8, 8)).shape))"
    )
    environment = {**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    done = subprocess.run(
        [sys.executable, "-c", program, uri], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout == "(7, 3)\n"


def test_network_without_example_input_is_registered_by_its_files(
    checkout, settings, make_record, network, monkeypatch
):
    monkeypatch.setenv("DVC_STAGE", "retrain@0")
    by_files = ModelRecord("classifier", "champion", "network", files=("weights.safetensors",))
    outbox.submit(make_record(model=by_files), checkout, settings, load_network=_load_network)
    (checkout / "network" / "weights.safetensors").unlink()
    assert outbox.drain(checkout, settings).num_waiting == 0

    uri = settings.absolute_uri(checkout)
    champion = load_champion(uri, "classifier", load_network=_load_network).eval()
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(champion(images), network(images))
    with pytest.raises(ValueError, match="classifier@champion is registered by its files; pass load_network"):
        load_champion(uri, "classifier")


def test_network_that_cannot_be_exported_costs_only_the_model(checkout, settings, make_record, network, caplog):
    def fail(folder):
        raise RuntimeError("no such operation")

    outbox.submit(make_record(model=MODEL), checkout, settings, load_network=fail)
    assert "the network of random 0 was not exported (RuntimeError: no such operation)" in caplog.text
    store = open_store(settings, checkout)
    assert len(store.client.search_runs([store.experiment_id])) == 3
    assert not store.client.search_registered_models()


@pytest.mark.usefixtures("network")
def test_model_without_a_loader_is_said(checkout, settings, make_record, monkeypatch, caplog):
    monkeypatch.setenv("DVC_STAGE", "retrain@0")
    outbox.submit(make_record(model=MODEL), checkout, settings)
    assert "load_network is None" in caplog.text


@pytest.mark.parametrize("example", [np.zeros((1, 1, 8, 8), np.float32), np.zeros((2, 1, 8, 8))])
def test_example_input_must_be_a_batch_of_float32(checkout, network, example):
    np.save(checkout / MODEL.example_input, example)
    with pytest.raises(ValueError, match="batch at least 2"):
        export_model(MODEL, _load_network, checkout, checkout / "exported")
