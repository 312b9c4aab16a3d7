"""A Gaussian process, whose posterior is its prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nas_core.member_predictions import CostScale
from nas_core.predictor import Predictor
from nas_core.randomness import Streams

if TYPE_CHECKING:
    import torch
    from botorch.models import SingleTaskGP

Array = NDArray[np.float64]


def build(streams: Streams, *, max_fit_steps: Annotated[int, Ge(1)] = 30) -> Predictor:
    """Return a Gaussian process on weighted Hamming distances (Rasmussen & Williams 2006).

    Args:
        streams: source of the seed that BoTorch is given; the fit and the prediction draw nothing from it.
        max_fit_steps: steps of the optimizer of lengthscales and noise; more change little and take long.
    """
    return GaussianProcess(streams, max_fit_steps)


class GaussianProcess:
    """Exact Gaussian process regression in double precision, by BoTorch's `SingleTaskGP`.

    With the kernel matrix K of the examples, the noise variance s, the constant mean m and the kernel vector k of what
    is predicted: mean m + k' (K + s I)^-1 (y - m), variance k(x, x) - k' (K + s I)^-1 k. The deviation is that of the
    cost without the noise of an evaluation. Kernel, priors and the rule for a fit that fails are those of
    `gaussian_processes.regression`; the same features may come with different costs.

    A feature of which not all examples are 0 or 1 is scaled so that theirs go from 0 to 1. Costs are standardized for
    the fit and put back for the prediction. Where all costs are equal, as one cost is, nothing is known of their
    spread: that cost is predicted everywhere, with a deviation of 0.
    """

    def __init__(self, streams: Streams, max_fit_steps: int) -> None:
        """Start without a fit; see `build`."""
        self._seed = streams.integer("fit")
        self._max_fit_steps = max_fit_steps
        self._model: SingleTaskGP | None = None
        self._is_fitted = False
        self._lowest: Array = np.zeros(0)
        self._width: Array = np.zeros(0)
        self._cost_scale = CostScale()

    def fit(self, features: Array, costs: Array) -> None:
        """Fit mean, lengthscales and noise anew, and condition on all examples.

        Args:
            features: (num_examples, num_features), at least one feature.
            costs: (num_examples,), at least one.
        """
        import torch

        from nas_core.gaussian_processes.regression import fitted, repeatable

        lowest, highest = features.min(axis=0), features.max(axis=0)
        is_bit = ((features == 0) | (features == 1)).all(axis=0)
        self._lowest = np.where(is_bit, 0.0, lowest)
        self._width = np.where(is_bit | (highest == lowest), 1.0, highest - lowest)
        self._cost_scale = CostScale.of(costs)
        self._model = None
        self._is_fitted = True
        # rounding of the mean is no spread
        if np.ptp(costs) > 0 and costs.std() > 0:
            targets = torch.from_numpy(self._cost_scale.standardized(costs))
            with repeatable(self._seed):
                self._model = fitted(self._inputs(features), targets, self._max_fit_steps)

    def predict(self, features: Array) -> tuple[Array, Array]:
        """Return the posterior mean and standard deviation, each (num_examples,).

        Raises:
            ValueError: if nothing was fitted yet.
        """
        import torch

        from nas_core.gaussian_processes.regression import repeatable

        if not self._is_fitted:
            raise ValueError("the Gaussian process was not fitted; call fit(features, costs) first")
        if self._model is None:
            return np.full(len(features), self._cost_scale.center), np.zeros(len(features))
        with repeatable(self._seed), torch.no_grad():
            posterior = self._model.posterior(self._inputs(features))
            mean, variance = posterior.mean.squeeze(1).numpy(), posterior.variance.squeeze(1).numpy()
        return self._cost_scale.restored(mean), self._cost_scale.scale * np.sqrt(variance)

    def _inputs(self, features: Array) -> torch.Tensor:
        import torch

        return torch.from_numpy((features - self._lowest) / self._width)
