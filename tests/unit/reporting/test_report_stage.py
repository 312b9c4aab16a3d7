"""The stage: what it writes, and which network it hands over as the champion."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from result_files import DATASET, MadeUp, write_results

import tasks.report
from nas_core.data import manifest, storage
from nas_core.data.image_set import ImageSet
from tasks.reporting.champion import example_input
from tasks.settings import load
from tasks.stage import Stage

PARAMS = Path(__file__).parents[3] / "params.yaml"


def write_image_set(root: Path) -> None:
    images = np.full((3, 8, 8, 1), 153, np.uint8)
    storage.write(root / "data/search/validation.safetensors", ImageSet(images, np.zeros(3, np.int64)))


def test_stage_writes_and_submits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(PARAMS)
    searches = tuple((key, entry.evaluator) for key, entry in settings.search.strategies.items())
    write_results(tmp_path, MadeUp(searches=searches, ranks=settings.retrain.ranks))
    write_image_set(tmp_path)
    stage = Stage("report", tmp_path, settings, tmp_path / ".work")
    submitted: dict[str, Any] = {}
    monkeypatch.setattr(tasks.report, "submit", lambda stage, started, **fields: submitted.update(fields))
    monkeypatch.setattr(tasks.report.outbox, "drain", lambda root, where: submitted.update(drained=root))
    tasks.report.report(stage)
    folder = stage.root / "results/report"
    manifest.verify(folder)
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")
    assert submitted["drained"] == stage.root
    model = submitted["model"]
    assert (model.registered_name, model.alias) == (stage.settings.tracking.registered_model, "champion")
    assert model.folder == "results/retrain/1"  # best on validation, not on test
    assert all((stage.root / artifact.path).is_file() for artifact in submitted["artifacts"])
    assert len(submitted["artifacts"]) == 1 + len(list(folder.glob("*.png")))
    metrics = json.loads((stage.root / "metrics/report.json").read_bytes())
    assert metrics["winner"]["rank"] == 1
    assert set(metrics["against"]) == {"reference", "random_networks", "logistic_regression"}
    assert metrics["seconds"] > 0
    assert submitted["metrics"]["test_accuracy"] == metrics["winner"]["test_accuracy"]["mean"]
    assert not any("seconds" in name for name in submitted["metrics"])


def test_a_champion_of_graphs_is_handed_over_as_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(PARAMS)
    searches = tuple((key, entry.evaluator) for key, entry in settings.search.strategies.items())
    write_results(tmp_path, MadeUp(searches=searches, ranks=settings.retrain.ranks, is_of_graphs=True))
    submitted: dict[str, Any] = {}
    monkeypatch.setattr(tasks.report, "submit", lambda stage, started, **fields: submitted.update(fields))
    monkeypatch.setattr(tasks.report.outbox, "drain", lambda root, where: None)
    tasks.report.report(Stage("report", tmp_path, settings, tmp_path / ".work"))
    assert not (tmp_path / "results/report/example_input.npy").exists()
    assert submitted["model"].files == ("architecture.json", "network.safetensors")
    names = {Path(artifact.path).name for artifact in submitted["artifacts"]}
    assert {"network-rank-1.png", "pooling-rank-1.png"} <= names
    against = json.loads((tmp_path / "metrics/report.json").read_bytes())["against"]
    assert set(against) == {"reference", "gin", "gcn", "random_networks", "logistic_regression"}


def test_example_input_is_normalized(tmp_path: Path) -> None:
    (tmp_path / "data/search").mkdir(parents=True)
    (tmp_path / "data/search/dataset.json").write_text(json.dumps(DATASET))
    write_image_set(tmp_path)
    content = example_input(tmp_path / "data/search")
    assert content is not None
    example = np.load(io.BytesIO(content))
    assert (example.shape, example.dtype) == ((2, 1, 8, 8), np.float32)
    np.testing.assert_allclose(example, (153 / 255 - 0.3) / 0.4, rtol=1e-6)


def test_a_network_of_graphs_has_no_example_input_and_is_registered_by_its_files(tmp_path: Path) -> None:
    graphs = {"learning_task": "gnn_space.learning_tasks.graph_classification"}
    (tmp_path / "dataset.json").write_text(json.dumps(graphs))
    assert example_input(tmp_path) is None
    model = tasks.report._model("nasflow", {"rank": 2}, has_example=False)
    assert (model.folder, model.example_input) == ("results/retrain/2", None)
    assert model.files == ("architecture.json", "network.safetensors")


def test_nothing_trained_registers_nothing() -> None:
    assert tasks.report.headline_metrics(None, ()) == {"winner": None, "against": {}}
