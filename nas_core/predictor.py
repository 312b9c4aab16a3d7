"""The predictor contract: a model that predicts an architecture's cost from its features."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Predictor(Protocol):
    """Fits costs and predicts them with an uncertainty; the same data and seed give the same predictions.

    A module of `nas_core.predictors` says ``ENCODING = "tensor"`` if its predictor takes feature tensors, and
    ``"graph"`` if it takes cell graphs; without a word, it takes vectors, whatever they encode.
    """

    def fit(self, features: Array, costs: Array) -> None:
        """Learn from scratch; what an earlier fit learnt is forgotten.

        Args:
            features: (num_examples, num_features), or (num_examples, channels, height, width) for a predictor of
                feature tensors; finite.
            costs: (num_examples,), at least one, finite; lower is better.

        Raises:
            ValueError: if it is not a predictor of such features.
        """

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation of the predicted cost, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
