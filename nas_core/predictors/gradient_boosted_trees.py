"""Gradient-boosted trees, several times on resampled examples; the members' disagreement is the uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge, Gt, Le
from numpy.typing import NDArray

from nas_core.member_predictions import CostScale, over_members
from nas_core.predictor import Predictor
from nas_core.randomness import Streams

if TYPE_CHECKING:
    from sklearn.ensemble import GradientBoostingRegressor

Array = NDArray[np.float64]


def build(
    streams: Streams,
    *,
    num_members: Annotated[int, Ge(2)] = 5,
    num_trees: Annotated[int, Ge(1)] = 100,
    max_depth: Annotated[int, Ge(1)] = 3,
    learning_rate: Annotated[float, Gt(0), Le(1)] = 0.1,
    example_fraction: Annotated[float, Gt(0), Le(1)] = 0.8,
    feature_fraction: Annotated[float, Gt(0), Le(1)] = 1.0,
) -> Predictor:
    """Return an ensemble of stochastic gradient boosting machines (Friedman 2002).

    Args:
        streams: source of the examples that each tree sees, and of the features that a split may use.
        num_members: boosting machines, at least 2, so that there is a standard deviation.
        num_trees: trees of each.
        max_depth: of a tree, in splits.
        learning_rate: factor of each tree's contribution.
        example_fraction: share of the examples that a tree is grown on, drawn without replacement.
        feature_fraction: share of the features among which each split chooses.
    """
    return GradientBoostedTrees(
        streams, num_members, num_trees, max_depth, learning_rate, example_fraction, feature_fraction
    )


class GradientBoostedTrees:
    """Boosting machines for squared error that differ in the examples their trees see (Friedman 2002, CSDA 38).

    Each adds tree after tree, grown on the residuals of a fresh random part of the examples. Mean and standard
    deviation are over the members. The deviation is that of the resampling alone: it says where the examples leave the
    prediction open, not how noisy an evaluation is, and with `example_fraction` and `feature_fraction` of 1 it is 0.

    Differs from the paper, which has one machine: several are averaged, so that there is an uncertainty. Costs are
    standardized for the fit and put back for the prediction, so that their unit changes no split. A member depends on
    the seed and its number, not on how many others there are.
    """

    def __init__(
        self,
        streams: Streams,
        num_members: int,
        num_trees: int,
        max_depth: int,
        learning_rate: float,
        example_fraction: float,
        feature_fraction: float,
    ) -> None:
        """Start without a fit; see `build`."""
        self._streams = streams
        self._num_members = num_members
        self._num_trees = num_trees
        self._max_depth = max_depth
        self._learning_rate = learning_rate
        self._example_fraction = example_fraction
        self._feature_fraction = feature_fraction
        self._members: list[GradientBoostingRegressor] = []
        self._cost_scale = CostScale()

    def fit(self, features: Array, costs: Array) -> None:
        """Grow all trees anew.

        Args:
            features: (num_examples, num_features).
            costs: (num_examples,), at least one.
        """
        self._cost_scale = CostScale.of(costs)
        targets = self._cost_scale.standardized(costs)
        # a tree needs an example at least
        example_fraction = max(self._example_fraction, 1.0 / len(targets))
        self._members = [
            self._machine(number, example_fraction).fit(features, targets) for number in range(self._num_members)
        ]

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the mean and the standard deviation (n - 1) over the members, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        return over_members(self.predict_members(features))

    def predict_members(self, features: Array) -> Array:
        """Return each member's predicted costs, (num_members, num_examples); ValueError before a fit."""
        if not self._members:
            raise ValueError("the ensemble was not fitted; call fit(features, costs) first")
        outputs = np.stack([member.predict(features) for member in self._members])
        return self._cost_scale.restored(outputs)

    def _machine(self, number: int, example_fraction: float) -> GradientBoostingRegressor:
        from sklearn.ensemble import GradientBoostingRegressor

        return GradientBoostingRegressor(
            n_estimators=self._num_trees,
            max_depth=self._max_depth,
            learning_rate=self._learning_rate,
            subsample=example_fraction,
            max_features=self._feature_fraction,
            random_state=int(self._streams.numpy(f"member {number}").integers(2**32)),
        )
