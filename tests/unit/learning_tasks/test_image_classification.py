from __future__ import annotations

import json
from pathlib import Path

import pytest
import tiny_images
import torch

from nas_core.data import storage
from nas_core.data.image_set import ImageSet
from nas_core.data.stratified_order import stratified_order
from nas_core.learning_tasks.image_classification import build


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_images.write(tmp_path, channels=3, with_test=True)


def test_the_test_split_must_be_given(folder: Path) -> None:
    without = build(folder)
    with pytest.raises(ValueError, match="without the split 'test'"):
        next(without.batches("test", 4))
    with pytest.raises(ValueError, match="test_folder"):
        without.num_examples("test")
    assert build(folder, test_folder=folder / "test").num_examples("test") == 64


def test_inputs_are_normalized_pixels_in_stored_order(folder: Path) -> None:
    task = build(folder)
    stored = storage.read(folder / "train.safetensors")
    inputs, targets = next(task.batches("train", 64))
    assert inputs.shape == (64, *task.shape.inputs) == (64, 3, 8, 8)
    assert targets.tolist() == stored.labels.tolist()
    torch.testing.assert_close(inputs.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(inputs.std(dim=(0, 2, 3), correction=0), torch.ones(3))
    pixels = torch.tensor(stored.images).permute(0, 3, 1, 2) / 255
    torch.testing.assert_close(task.pixels(inputs), pixels)
    torch.testing.assert_close(task.normalized(pixels), inputs)


def test_a_pass_has_every_example_once_and_follows_the_generator(folder: Path) -> None:
    task = build(folder)
    passes = [list(task.batches("train", 24, seeded(seed))) for seed in (0, 0, 1)]
    assert [len(targets) for _, targets in passes[0]] == [24, 24, 16]
    first, again, other = (torch.cat([inputs for inputs, _ in batches]) for batches in passes)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    stored = next(task.batches("train", 64))[0]
    assert sorted(first.sum(dim=(1, 2, 3)).tolist()) == pytest.approx(sorted(stored.sum(dim=(1, 2, 3)).tolist()))


def test_a_smaller_fraction_is_part_of_a_larger_one_and_keeps_the_shares_of_classes(folder: Path) -> None:
    task = build(folder)
    taken = {}
    for fraction in (0.25, 0.5, 1.0):
        inputs, targets = next(task.batches("train", 64, seeded(), fraction=fraction))
        assert torch.bincount(targets, minlength=4).tolist() == [round(16 * fraction)] * 4
        taken[fraction] = {tuple(image.flatten()[:20].tolist()) for image in inputs}
    assert taken[0.25] < taken[0.5] < taken[1.0]


def test_the_stratified_order_does_not_need_equal_classes() -> None:
    labels = torch.tensor([0] * 80 + [1] * 20)
    order = stratified_order(labels)
    assert sorted(order.tolist()) == list(range(100))
    for size in (10, 50):
        assert abs(int(labels[order[:size]].sum()) - 0.2 * size) <= 1


def test_augmentation_moves_images_and_needs_a_generator(folder: Path) -> None:
    task = build(folder)
    plain = torch.cat([inputs for inputs, _ in task.batches("train", 64, seeded())])
    moved = torch.cat([inputs for inputs, _ in task.batches("train", 64, seeded(), augment=True)])
    black = task.normalized(torch.zeros(1, 3, 8, 8))[0]
    num_unmoved = 0
    for before, after in zip(plain, moved, strict=True):
        if torch.equal(before, after):
            num_unmoved += 1
        else:
            edges = [after[:, 0], after[:, -1], after[:, :, 0], after[:, :, -1]]
            assert any(torch.allclose(edge, black[:, :, 0]) for edge in edges)
    assert 0 < num_unmoved < 24  # one in nine on average
    with pytest.raises(ValueError, match="generator"):
        next(task.batches("train", 4, augment=True))


def test_only_a_set_that_may_be_mirrored_is(folder: Path) -> None:
    plain, mirrored = build(folder), build(folder, horizontal_flip=True)
    batches = [next(task.batches("train", 64, seeded(), augment=True)) for task in (plain, mirrored)]
    unmirrored, both = batches[0][0], batches[1][0]
    same = (unmirrored == both).flatten(1).all(1)
    flipped = (unmirrored.flip(-1) == both).flatten(1).all(1)
    assert bool((same | flipped).all())
    assert 16 < int(flipped.sum()) < 48


def test_loss_and_metrics_by_hand(folder: Path) -> None:
    task = build(folder)
    outputs = torch.tensor([[2.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 2.0]])
    targets = torch.tensor([0, 1])
    log_sum = torch.tensor([2.0, 0.0, 0.0, 0.0]).logsumexp(0).item()
    expected = ((log_sum - 2) + log_sum) / 2
    assert task.metrics(outputs, targets) == pytest.approx({"accuracy": 0.5, "loss": expected})
    # spread over four classes, whose logits have mean 0.5
    smoothed = task.smoothed_loss(outputs, targets, 0.2).item()
    assert smoothed == pytest.approx(0.8 * expected + 0.2 * (log_sum - 0.5))


def test_shifts_act_on_pixels_and_return_network_inputs(folder: Path) -> None:
    task = build(folder)
    inputs, _ = next(task.batches("validation", 16))
    weak, strong = (task.shifts(severity)["speckle_noise"](inputs, seeded()) for severity in (1, 5))
    assert weak.shape == inputs.shape
    assert (strong - inputs).abs().mean() > (weak - inputs).abs().mean() > 0
    assert torch.equal(weak, task.shifts(1)["speckle_noise"](inputs, seeded()))


def test_files_that_do_not_fit_are_refused_with_the_path(folder: Path) -> None:
    images = storage.read(folder / "train.safetensors")
    storage.write(folder / "validation.safetensors", ImageSet(images.images, images.labels + 4))
    with pytest.raises(ValueError, match=r"validation\.safetensors does not fit"):
        build(folder)
    storage.write(folder / "validation.safetensors", ImageSet(images.images[:, :, :, :1].copy(), images.labels))
    with pytest.raises(ValueError, match="shape"):
        build(folder)


@pytest.mark.parametrize("change", [{"format": 2}, {"image_shape": [8, 8]}, {"channel_std": [0.0, 1.0, 1.0]}])
def test_a_description_of_another_kind_is_refused(folder: Path, change: dict[str, object]) -> None:
    path = folder / "dataset.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ValueError, match=r"dataset\.json.*prepare the data again"):
        build(folder)


def test_plain_features_are_the_pixels_in_stored_order(folder: Path) -> None:
    task = build(folder)
    features, labels = task.plain_features("validation")
    stored = storage.read(folder / "validation.safetensors")
    assert features.dtype == torch.float64
    assert torch.equal(features, torch.tensor(stored.images.reshape(len(stored), -1) / 255.0))
    assert labels.tolist() == stored.labels.tolist()


def test_sets_of_a_shifted_distribution_are_normalized_like_the_task(folder: Path, tmp_path: Path) -> None:
    task = build(folder)
    stored = storage.read(folder / "train.safetensors")
    path = tmp_path / "shifted.safetensors"
    storage.write(path, ImageSet(stored.images, stored.labels + 7))
    batches = list(task.shifted_batches(path, 24))
    assert [len(targets) for _, targets in batches] == [24, 24, 16]
    expected = next(task.batches("train", 64))
    assert torch.equal(torch.cat([inputs for inputs, _ in batches]), expected[0])
    assert torch.equal(torch.cat([targets for _, targets in batches]), expected[1] + 7)
    storage.write(path, ImageSet(stored.images[:, :4].copy(), stored.labels))
    with pytest.raises(ValueError, match="shape"):
        next(task.shifted_batches(path, 24))
