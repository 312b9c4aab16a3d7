"""Learning from the nodes of one graph, prepared by the stage that prepares everything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors.numpy import load_file
from test_planetoid import write

from gnn_space.learning_tasks.node_classification import NodeClassification, build
from nas_core.data import tensor_file
from nas_core.task import HasPlainFeatures, HasShiftSets
from tasks import data, prepare
from tasks.settings import load
from tasks.stage import run
from tasks.tracking import outbox

PARAMS = Path(__file__).parents[3] / "gnn_space" / "params_nodes.yaml"
PUBLIC = {"name": "gnn_space.sets.planetoid", "collection": "CiteSeer"}
RANDOM = {**PUBLIC, "split": "random", "train_per_class": 5, "num_validation": 50, "num_test": 100}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a small graph was prepared."""
    root = tmp_path_factory.mktemp("nodes")
    document = yaml.safe_load(PARAMS.read_text())
    folder = str(write(root / "published"))
    document["prepare"] = {"dataset": PUBLIC, "transfer": RANDOM, "folder": folder, "download": False}
    (root / "params.yaml").write_text(json.dumps(document))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(outbox, "submit", lambda run, *others: None)
        assert run("prepare", prepare.prepare, identity=prepare.identity, root=root) == 0
    return root


@pytest.fixture
def task(root: Path) -> NodeClassification:
    return build(root / data.SEARCH, test_folder=root / data.TEST)


def test_no_label_of_a_test_node_is_in_the_data_of_the_search(root: Path) -> None:
    folder = root / data.SEARCH
    assert set(load_file(folder / "graph.safetensors")) == {"x", "edge_index"}
    test = load_file(root / data.TEST / "test.safetensors")
    for split in ("train", "validation"):
        nodes = load_file(folder / f"{split}.safetensors")
        assert set(nodes) == {"nodes", "labels"}
        assert not set(nodes["nodes"].tolist()) & set(test["nodes"].tolist())
    assert {path.name for path in folder.iterdir()} == {
        "graph.safetensors",
        "train.safetensors",
        "validation.safetensors",
        "dataset.json",
        "manifest.json",
    }
    described = json.loads((folder / "dataset.json").read_bytes())
    assert described["learning_task"] == "gnn_space.learning_tasks.node_classification"
    assert (described["num_nodes"], described["num_node_features"]) == (535, 4)


def test_a_pass_is_the_whole_graph_once(root: Path, task: NodeClassification) -> None:
    stored = load_file(root / data.SEARCH / "train.safetensors")
    (batch,) = task.batches("train", 4)
    graphs, labels = batch
    assert len(graphs) == len(labels) == task.num_examples("train") == 9
    assert (graphs.num_nodes, graphs.num_graphs) == (535, 1)
    assert graphs.sizes.tolist() == [535]
    assert graphs.target_nodes is not None
    assert graphs.target_nodes.tolist() == stored["nodes"].tolist()
    assert labels.tolist() == stored["labels"].tolist()
    whole = load_file(root / data.SEARCH / "graph.safetensors")
    assert np.array_equal(graphs.x.numpy(), whole["x"])
    assert np.array_equal(graphs.edge_index.numpy(), whole["edge_index"])
    assert task.shape.inputs == (4,)
    assert task.shape.outputs == (3,)


def test_orders_follow_the_generator_and_fractions_are_nested(task: NodeClassification) -> None:
    def nodes(seed: int | None, fraction: float = 1.0) -> list[int]:
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        ((graphs, labels),) = task.batches("validation", 4, generator, fraction=fraction)
        assert graphs.target_nodes is not None
        assert torch.bincount(labels).max() - torch.bincount(labels).min() < 3
        return list(graphs.target_nodes.tolist())

    assert nodes(0) == nodes(0) != nodes(1)
    assert sorted(nodes(0)) == sorted(nodes(None))
    assert set(nodes(0, 0.1)) < set(nodes(1, 0.5)) < set(nodes(None))
    with pytest.raises(ValueError, match="generator"):
        next(task.batches("train", 4, augment=True))


def test_own_features_are_the_plain_ones(root: Path, task: NodeClassification) -> None:
    assert isinstance(task, HasPlainFeatures)
    features, labels = task.plain_features("test")
    test = load_file(root / data.TEST / "test.safetensors")
    whole = load_file(root / data.SEARCH / "graph.safetensors")
    assert features.dtype == torch.float64
    assert np.allclose(features.numpy(), whole["x"][test["nodes"]])
    assert labels.tolist() == test["labels"].tolist()


def test_other_nodes_of_the_graph_are_a_shifted_set(task: NodeClassification, tmp_path: Path) -> None:
    assert isinstance(task, HasShiftSets)
    path = tmp_path / "other.safetensors"
    tensor_file.write(path, {"nodes": np.array([7, 3]), "labels": np.array([1, 0])})
    ((graphs, labels),) = task.shifted_batches(path, 1)
    assert graphs.target_nodes is not None
    assert (graphs.target_nodes.tolist(), labels.tolist()) == ([7, 3], [1, 0])
    tensor_file.write(path, {"nodes": np.array([7, 535]), "labels": np.array([1, 0])})
    with pytest.raises(ValueError, match="has the node 535 of 535"):
        next(task.shifted_batches(path, 1))


def test_the_second_task_and_the_noises_work(root: Path, task: NodeClassification) -> None:
    second = data.load_transfer_task(root, statistics=root / data.SEARCH)
    assert second.num_examples("train") == 15
    graphs, _ = next(task.batches("test", 1))
    for name, shift in task.shifts(3).items():
        shifted = shift(graphs, torch.Generator().manual_seed(0))
        assert len(shifted) == len(graphs), name
        assert task.perturbation_sizes(graphs, shifted).shape == (len(graphs),)


def test_a_set_of_another_origin_has_no_place_beside_nodes(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = json.loads((root / "params.yaml").read_text())
    document["prepare"]["natural_shift"] = RANDOM
    (tmp_path / "params.yaml").write_text(json.dumps(document))
    assert load(tmp_path / "params.yaml").prepare.natural_shift is not None
    assert run("prepare", prepare.prepare, identity=prepare.identity, root=tmp_path) == 1
    error = capsys.readouterr().err
    assert "mean nothing without the rest of it; set it to null" in error
    assert len(error.splitlines()) == 1


def test_damage_is_one_line(root: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in (root / data.SEARCH).iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    build(folder)
    tensors = load_file(folder / "graph.safetensors")
    for change, reason in (
        ({"x": tensors["x"][:, :2].copy()}, "nodes with 2 features"),
        ({"edge_index": tensors["edge_index"] + 500}, "holds no graph"),
        ({"edge_index": tensors["edge_index"][0]}, "holds no graph"),
    ):
        tensor_file.write(folder / "graph.safetensors", {**tensors, **change})
        with pytest.raises(ValueError, match=reason) as caught:
            build(folder)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="horizontal_flip"):
        build(folder, horizontal_flip=True)
