"""Multinomial logistic regression, its penalty chosen on validation: on features, or as a baseline on plain ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nas_core.task import HasPlainFeatures, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Examples = tuple[NDArray[np.floating[Any]], NDArray[np.integer[Any]]]

INVERSE_PENALTIES = tuple(10.0**exponent for exponent in range(-3, 4))
"""Inverse strengths C of the L2 penalty that are tried on validation."""

MAX_ITERATIONS = 300
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Regression:
    """A fitted classifier's accuracies, in 0..1, and its inverse penalty C."""

    validation_accuracy: float
    test_accuracy: float
    inverse_penalty: float


def fit(splits: Mapping[str, Examples]) -> Regression:
    """Return the accuracies of the classifier whose penalty does best on validation; a tie takes the stronger one.

    Kornblith et al. (2019, arXiv:1805.08974): L-BFGS on features without augmentation, C chosen on validation. Differs
    from the paper: 7 values of C (1e-3 to 1e3), not 45; the classifier that is tested has not seen the validation
    examples.

    Args:
        splits: "train", "validation" and "test", each features (num, features) and labels (num,).
    """
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    inputs = {name: features for name, (features, _) in splits.items()}
    best: tuple[float, float, Any] | None = None
    for inverse_penalty in INVERSE_PENALTIES:
        model = LogisticRegression(C=inverse_penalty, max_iter=MAX_ITERATIONS, tol=TOLERANCE)
        with warnings.catch_warnings():
            # a weak penalty may end at the limit of iterations; validation judges what came of it
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(inputs["train"], splits["train"][1])
        accuracy = float(model.score(inputs["validation"], splits["validation"][1]))
        if best is None or accuracy > best[0]:
            best = (accuracy, inverse_penalty, model)
    assert best is not None
    return Regression(best[0], float(best[2].score(inputs["test"], splits["test"][1])), best[1])


def standardized(splits: Mapping[str, Examples]) -> dict[str, Examples]:
    """Return the splits with every feature at mean 0 and standard deviation 1 on the training examples."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(splits["train"][0])
    return {name: (scaler.transform(features), labels) for name, (features, labels) in splits.items()}


def on_plain_features(task: Task) -> Regression:
    """Return the baseline that knows no network: the regression on the plain features of a task's examples.

    Features are taken as the task gives them. Those of images are pixels in 0..1: to standardize them would blow up the
    noise of those that are nearly always dark.

    Args:
        task: with its test split.

    Raises:
        ValueError: the task has no plain features.
    """
    if not isinstance(task, HasPlainFeatures):
        raise ValueError(
            f"task {task.name} has no plain features for the logistic regression; give its class a method "
            "plain_features(split)"
        )
    parts = {name: task.plain_features(name) for name in ("train", "validation", "test")}
    return fit({name: (features.numpy(), labels.numpy()) for name, (features, labels) in parts.items()})
