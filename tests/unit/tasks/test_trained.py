"""What is kept of networks of graphs: all but an exported program, and what their poolings keep of a few graphs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from nas_core.architecture import Architecture
from nas_core.space import HasReference
from nas_core.training.prediction import predict
from nas_core.training.scores import validation_metric
from tasks import data, trained
from tasks.candidate import load_network, read_description
from tasks.retraining import template
from tasks.stage import Stage
from tasks.training import Job, Outcome, jobs_for, train

SEEDS = (0, 1)


def finished(stage: Stage, architecture: Architecture) -> tuple[Sequence[Job], Sequence[Outcome]]:
    jobs = jobs_for(template(stage), [architecture], SEEDS)
    return jobs, [train(job) for job in jobs]


def filled(stage: Stage, architecture: Architecture, folder: Path) -> dict[str, Any]:
    """Train an architecture, write what is kept of it into a folder, and return metrics.json."""
    jobs, outcomes = finished(stage, architecture)
    task = data.load_task_with_test(stage.root)
    folder.mkdir()
    trained.fill(folder, trained.measured(jobs, outcomes, task), jobs, outcomes, task, {"rank": 0})
    metrics: dict[str, Any] = json.loads((folder / "metrics.json").read_bytes())
    return metrics


@pytest.fixture
def graphs(make_graph_checkout: Callable[..., Stage]) -> Stage:
    schedule = {"epochs": 3, "batch_size": 8, "learning_rate": 0.05, "optimizer": "adam", "keep": "best"}
    return make_graph_checkout(retrain={"seeds": list(SEEDS), "ranks": [0], "schedule": schedule})


def reference(stage: Stage) -> Architecture:
    space = template(stage).description.built_space()
    assert isinstance(space, HasReference)
    return space.reference()


def test_a_network_of_graphs_is_kept_without_a_program_and_loads_again(graphs: Stage, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    metrics = filled(graphs, reference(graphs), folder)
    assert metrics["learning_task"] == "gnn_space.learning_tasks.graph_classification"
    assert metrics["program"] is None
    assert metrics["no_program"].startswith("inputs are GraphBatch")
    assert not (folder / trained.PROGRAM).exists()
    assert read_description(folder).data["num_node_features"] == 3
    task = data.load_task_with_test(graphs.root)
    predictions = load_file(folder / trained.PREDICTIONS)
    of_seeds = zip(SEEDS, metrics["kept_epochs"], metrics["validation_accuracy"]["values"], strict=True)
    for seed, epoch, accuracy in of_seeds:
        network = load_network(folder, f"network-{seed}.safetensors")
        assert torch.equal(predict(network, task, "test")[0], predictions[f"test-{seed}"])
        assert validation_metric(network, task) == accuracy
        rows = [line.split(",") for line in (folder / "curve.csv").read_text().splitlines()[1:]]
        accuracies = [float(row[3]) for row in rows if int(row[0]) == seed]
        assert accuracies[epoch - 1] == pytest.approx(max(accuracies))
        assert max(accuracies) == pytest.approx(accuracy)


def test_what_poolings_keep_is_written_of_networks_that_pool(graphs: Stage, tmp_path: Path) -> None:
    pools, plain = reference(graphs), Architecture(reference(graphs).space, (0,) * len(reference(graphs).decisions))
    filled(graphs, pools, tmp_path / "pools")
    examples = json.loads((tmp_path / "pools" / trained.POOLING_EXAMPLES).read_bytes())
    assert 0 < len(examples) <= trained.NUM_POOLING_EXAMPLES
    task = data.load_task(graphs.root)
    first, _ = next(iter(task.batches("validation", len(examples))))
    assert [example["num_nodes"] for example in examples] == first.sizes.tolist()
    assert all(example["levels"][0]["kept"] for example in examples)
    filled(graphs, plain, tmp_path / "plain")
    assert not (tmp_path / "plain" / trained.POOLING_EXAMPLES).exists()


def test_a_network_of_images_is_kept_with_its_program(make_checkout: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_checkout()
    metrics = filled(stage, Architecture("nasbench201", (3, 1, 2, 1, 3, 1)), tmp_path / "kept")
    assert (metrics["program"], metrics["kept_epochs"]) == (trained.PROGRAM, [1, 1])
    assert "no_program" not in metrics
    program = torch.export.load(tmp_path / "kept" / trained.PROGRAM).module()
    images = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(program(images), load_network(tmp_path / "kept")(images))
    assert not (tmp_path / "kept" / trained.POOLING_EXAMPLES).exists()
