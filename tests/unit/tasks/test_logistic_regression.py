"""Logistic regression whose penalty is chosen on validation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nas_core.data import storage
from tasks import data, logistic_regression
from tasks.stage import Stage


def examples(num_examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(num_examples) % 3
    features = np.eye(3)[labels] * 4 + generator.normal(size=(num_examples, 3)) * 0.1
    # a feature without variance, and one of another size, must not matter
    return np.column_stack([features, np.ones(num_examples), 1e6 * generator.normal(size=num_examples)]), labels


def test_separable_classes_are_told_apart_under_the_strongest_penalty_that_does() -> None:
    splits = {"train": examples(90, 0), "validation": examples(30, 1), "test": examples(30, 2)}
    found = logistic_regression.fit(splits)
    assert (found.validation_accuracy, found.test_accuracy) == (1.0, 1.0)
    assert found.inverse_penalty == logistic_regression.INVERSE_PENALTIES[0]


def test_test_examples_choose_nothing() -> None:
    splits = {"train": examples(90, 0), "validation": examples(30, 1), "test": examples(30, 2)}
    features, labels = splits["test"]
    wrong = logistic_regression.fit({**splits, "test": (features, (labels + 1) % 3)})
    assert wrong.validation_accuracy == 1.0
    assert wrong.test_accuracy == 0.0


def test_the_baseline_of_images_is_the_regression_on_their_pixels(make_checkout: Callable[..., Stage]) -> None:
    root = make_checkout().root
    folders = {"train": "data/search", "validation": "data/search", "test": "data/test"}
    parts = {name: storage.read(root / folder / f"{name}.safetensors") for name, folder in folders.items()}
    pixels = {name: (part.images.reshape(len(part), -1) / 255.0, part.labels) for name, part in parts.items()}
    task: Any = data.load_task_with_test(root)
    for name, (features, labels) in pixels.items():
        found_features, found_labels = task.plain_features(name)
        assert np.array_equal(found_features.numpy(), features)
        assert np.array_equal(found_labels.numpy(), labels)
    assert logistic_regression.on_plain_features(task) == logistic_regression.fit(pixels)


def test_a_task_without_plain_features_is_one_line() -> None:
    task: Any = type("Task", (), {"name": "sounds"})()
    with pytest.raises(ValueError, match=r"task sounds has no plain features .* plain_features\(split\)"):
        logistic_regression.on_plain_features(task)
