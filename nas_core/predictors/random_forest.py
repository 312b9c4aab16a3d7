"""A random forest, whose trees' disagreement is its uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from nas_core.member_predictions import CostScale, over_members
from nas_core.predictor import Predictor
from nas_core.randomness import Streams

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestRegressor

Array = NDArray[np.float64]


def build(
    streams: Streams,
    *,
    num_trees: Annotated[int, Ge(2)] = 100,
    min_leaf_examples: Annotated[int, Ge(1)] = 1,
    feature_fraction: Annotated[float, Gt(0), Le(1)] = 1.0,
) -> Predictor:
    """Return a forest (Breiman 2001); the defaults are scikit-learn's for regression.

    Args:
        streams: source of the bootstrap samples and of the features that a split may use.
        num_trees: trees, at least 2, so that there is a standard deviation.
        min_leaf_examples: fewest examples in a leaf.
        feature_fraction: share of the features among which each split chooses.
    """
    return RandomForest(streams, num_trees, min_leaf_examples, feature_fraction)


class RandomForest:
    """Regression trees, each grown on a bootstrap sample by squared error (Breiman 2001, Machine Learning 45).

    Mean and standard deviation are over the trees' predictions, as in SMAC (Hutter, Hoos & Leyton-Brown 2011, LION 5).
    The deviation says how much the trees disagree, not how noisy an evaluation is; it is 0 where all agree.

    Costs are standardized for the fit and put back for the prediction, so that their unit changes no split.
    """

    def __init__(self, streams: Streams, num_trees: int, min_leaf_examples: int, feature_fraction: float) -> None:
        """Start without a fit; see `build`."""
        self._streams = streams
        self._num_trees = num_trees
        self._min_leaf_examples = min_leaf_examples
        self._feature_fraction = feature_fraction
        self._forest: RandomForestRegressor | None = None
        self._cost_scale = CostScale()

    def fit(self, features: Array, costs: Array) -> None:
        """Grow all trees anew.

        Args:
            features: (num_examples, num_features).
            costs: (num_examples,), at least one.
        """
        from sklearn.ensemble import RandomForestRegressor

        self._cost_scale = CostScale.of(costs)
        self._forest = RandomForestRegressor(
            n_estimators=self._num_trees,
            min_samples_leaf=self._min_leaf_examples,
            max_features=self._feature_fraction,
            random_state=int(self._streams.numpy("trees").integers(2**32)),
        ).fit(features, self._cost_scale.standardized(costs))

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation (n - 1) over the trees, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        return over_members(self.predict_trees(features))

    def predict_trees(self, features: Array) -> Array:
        """Return each tree's predicted costs, (num_trees, num_examples); ValueError before a fit."""
        if self._forest is None:
            raise ValueError("the forest was not fitted; call fit(features, costs) first")
        outputs = np.stack([tree.predict(features) for tree in self._forest.estimators_])
        return self._cost_scale.restored(outputs)
