"""By what the features of nodes are standardized, and whether those of two sets go together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def feature_statistics(x: NDArray[np.float32]) -> tuple[list[float], list[float]]:
    """Return the mean and the standard deviation that standardize each feature.

    Indicators (features with no other values than 0 and 1, such as classes of atoms or a constant 1) are left as they
    are: mean 0, deviation 1. So is what does not vary.

    Args:
        x: features of the training nodes `(num_nodes, num_features)`.
    """
    values = x.astype(np.float64)
    mean, std = values.mean(axis=0), values.std(axis=0)
    left = ((x == 0) | (x == 1)).all(axis=0) | (np.ptp(x, axis=0) == 0)
    return np.where(left, 0.0, mean).tolist(), np.where(left, 1.0, std).tolist()


def require_features(name: str, num_features: int, shape: tuple[int, ...], remedy: str) -> None:
    """Check that the nodes of a set have as many features as those of the set that it goes with.

    Args:
        name: of the set.
        num_features: of its nodes.
        shape: `(num_features,)` of the other set.
        remedy: what to do, for the error.

    Raises:
        ValueError: one line with what to do.
    """
    if shape != (num_features,):
        wanted = ", ".join(map(str, shape))
        raise ValueError(f"{name} has {num_features} features a node, the main set has {wanted}; {remedy}")
