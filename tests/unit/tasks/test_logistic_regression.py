"""Logistic regression whose penalty is chosen on validation."""

from __future__ import annotations

import numpy as np

from tasks import logistic_regression


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
