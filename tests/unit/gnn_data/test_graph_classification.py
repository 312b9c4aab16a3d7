"""Learning from prepared graphs: batches, fractions, standardization, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import small_graphs
import torch

from gnn_space.data import storage
from gnn_space.graph_batch import GraphBatch, graph_batch
from gnn_space.learning_tasks.graph_classification import build
from nas_core.task import HasPlainFeatures, HasShiftSets


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_graphs.write(tmp_path)


def separate(graphs: GraphBatch) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return features and sorted edges of each graph of a batch, by masks instead of offsets."""
    found = []
    for number in range(graphs.num_graphs):
        inside = graphs.batch == number
        begin = int((~inside).int().argmin()) if inside.any() else 0
        found.append((graphs.x[inside], graphs.edge_index[:, inside[graphs.edge_index[0]]] - begin))
    return found


@pytest.mark.parametrize("batch_size", [1, 5, 24, 100])
def test_batches_are_the_stored_graphs(folder: Path, batch_size: int) -> None:
    task = build(folder)
    stored = storage.read(folder / "train.safetensors")
    described = json.loads((folder / "dataset.json").read_bytes())
    graphs, labels = [], []
    for batch, targets in task.batches("train", batch_size):
        expected = graph_batch(batch.x, batch.edge_index, batch.sizes)
        assert torch.equal(batch.batch, expected.batch)
        assert len(batch) == len(targets) <= batch_size
        graphs += separate(batch)
        labels += targets.tolist()
    assert labels == stored.labels.tolist()
    for index, (x, edges) in enumerate(graphs):
        one = stored.take(np.array([index]))
        expected_x = (one.x - np.array(described["feature_mean"])) / np.array(described["feature_std"])
        assert np.allclose(x.numpy(), expected_x, atol=1e-5)
        assert np.array_equal(edges.numpy(), one.edge_index)


def test_a_pass_has_every_graph_once_and_follows_the_generator(folder: Path) -> None:
    task = build(folder)
    stored = [(x, edges) for batch, _ in task.batches("train", 100) for x, edges in separate(batch)]

    def passed(seed: int) -> list[int]:
        order = []
        for batch, targets in task.batches("train", 7, seeded(seed), augment=True):
            for (x, edges), label in zip(separate(batch), targets.tolist(), strict=True):
                (number,) = [at for at, (known, _) in enumerate(stored) if torch.equal(known, x)]
                assert torch.equal(edges, stored[number][1])
                assert label == number % small_graphs.NUM_CLASSES
                order.append(number)
        return order

    assert sorted(passed(0)) == list(range(24))
    assert passed(0) == passed(0) != passed(1)
    with pytest.raises(ValueError, match="generator"):
        next(task.batches("train", 4, augment=True))


def test_a_smaller_fraction_is_part_of_a_larger_one_and_keeps_the_shares_of_classes(folder: Path) -> None:
    task = build(folder)
    taken = {}
    for fraction in (0.25, 0.5, 1.0):
        batch, targets = next(task.batches("train", 100, seeded(), fraction=fraction))
        assert torch.bincount(targets).tolist() == [round(8 * fraction)] * 3
        taken[fraction] = {round(float(x[0, 0]), 4) for x, _ in separate(batch)}
    assert taken[0.25] < taken[0.5] < taken[1.0]


def test_features_are_standardized_by_the_training_nodes_or_by_other_statistics(folder: Path, tmp_path: Path) -> None:
    batch, _ = next(build(folder).batches("train", 100))
    torch.testing.assert_close(batch.x.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(batch.x.std(0, correction=0), torch.ones(2))
    other = tmp_path / "other"
    other.mkdir()
    described = json.loads((folder / "dataset.json").read_bytes())
    (other / "dataset.json").write_text(json.dumps({**described, "feature_mean": [0, 0], "feature_std": [2, 2]}))
    raw, _ = next(build(folder, statistics_folder=other).batches("train", 100))
    torch.testing.assert_close(raw.x, torch.tensor(storage.read(folder / "train.safetensors").x) / 2)
    (other / "dataset.json").write_text(json.dumps({**described, "feature_mean": [0], "feature_std": [2]}))
    with pytest.raises(ValueError, match="with 1 features"):
        build(folder, statistics_folder=other)


def test_plain_features_by_hand(folder: Path) -> None:
    task = build(folder)
    assert isinstance(task, HasPlainFeatures)
    features, labels = task.plain_features("train")
    stored = storage.read(folder / "train.safetensors")
    assert features.shape == (24, 2 + 11 + 2)
    assert features.dtype == torch.float64
    assert labels.tolist() == stored.labels.tolist()
    index = int(stored.num_edges.argmax())
    one = stored.take(np.array([index]))
    size, num_edges = int(one.sizes[0]), int(one.num_edges[0])
    degrees = np.bincount(np.bincount(one.edge_index[1], minlength=size), minlength=11) / size
    batch, _ = next(task.batches("train", 24))
    expected = [np.log1p(size), np.log1p(num_edges), *degrees, *separate(batch)[index][0].mean(0).tolist()]
    assert features[index].tolist() == pytest.approx(expected, abs=1e-5)


def test_shifted_sets_are_read_as_the_task_reads_its_own(folder: Path, tmp_path: Path) -> None:
    task = build(folder)
    assert isinstance(task, HasShiftSets)
    batches = list(task.shifted_batches(folder / "validation.safetensors", 10))
    assert [len(targets) for _, targets in batches] == [10, 10, 4]
    own = [batch.x for batch, _ in task.batches("validation", 10)]
    assert all(torch.equal(batch.x, x) for (batch, _), x in zip(batches, own, strict=True))
    storage.write(tmp_path / "other.safetensors", small_graphs.random_graphs(num_features=3))
    with pytest.raises(ValueError, match="3 features"):
        next(task.shifted_batches(tmp_path / "other.safetensors", 10))


def test_loss_and_metrics_by_hand(folder: Path) -> None:
    task = build(folder)
    outputs, targets = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 2.0]]), torch.tensor([0, 1])
    log_sum = torch.tensor([2.0, 0.0, 0.0]).logsumexp(0).item()
    expected = ((log_sum - 2) + log_sum) / 2
    assert task.metrics(outputs, targets) == pytest.approx({"accuracy": 0.5, "loss": expected})
    smoothed = task.smoothed_loss(outputs, targets, 0.3).item()
    assert smoothed == pytest.approx(0.7 * expected + 0.3 * (log_sum - 2 / 3))


def test_shifts_are_seeded_and_keep_the_graphs(folder: Path) -> None:
    task = build(folder)
    graphs, _ = next(task.batches("train", 24))
    for name, shift in task.shifts(5).items():
        first, again = (shift(graphs, seeded()) for _ in range(2))
        assert first.num_graphs == graphs.num_graphs, name
        assert torch.equal(first.x, again.x), name
        assert torch.equal(first.edge_index, again.edge_index), name


def test_what_does_not_fit_is_refused_in_one_line(folder: Path) -> None:
    with pytest.raises(ValueError, match="horizontal_flip"):
        build(folder, horizontal_flip=True)
    with pytest.raises(ValueError, match="without the split 'test'"):
        next(build(folder).batches("test", 4))
    assert build(folder, test_folder=folder / "test").num_examples("test") == 24
    storage.write(folder / "validation.safetensors", small_graphs.random_graphs(num_features=3))
    with pytest.raises(ValueError, match=r"validation\.safetensors holds nodes with 3 features"):
        build(folder)
    described = json.loads((folder / "dataset.json").read_bytes())
    for change, reason in (
        ({"format": 2}, "has format 2"),
        ({"feature_std": [0.0, 1.0]}, "does not describe graphs"),
        ({"feature_std": [1.0]}, "does not describe graphs"),
    ):
        (folder / "dataset.json").write_text(json.dumps({**described, **change}))
        with pytest.raises(ValueError, match=reason):
            build(folder)
