"""Calibration: makes the deviations that a predictor states agree with how far it is off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

COVERAGES = tuple(place / 20 for place in range(1, 20))
"""Of central intervals, at which calibration is measured: .05, .10, ... .95."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """A calibrated deviation sqrt((scale * predicted)^2 + floor^2).

    The first part is what the predictor leaves open at a point, the second what it misses everywhere: the noise of an
    evaluation, and what its kind of model cannot say.

    Attributes:
        scale: factor of the predicted deviation, at least 0.
        floor: in the unit of the prediction, at least 0.
    """

    scale: float
    floor: float

    @classmethod
    def fitted(cls, means: Array, deviations: Array, observed: Array) -> Calibration:
        """Return the scale and the floor under which normal densities make the observations most likely.

        Laves et al. 2020 (arXiv:2006.13092) fit the scale alone so; the floor is added.

        Args:
            means: (num_examples,), predicted.
            deviations: (num_examples,), predicted, at least 0.
            observed: (num_examples,), of examples that the predictor did not learn from; at least 2.

        Raises:
            ValueError: there are fewer examples.
        """
        from scipy.optimize import minimize

        if len(observed) < 2:
            raise ValueError(f"{len(observed)} examples calibrate nothing; give at least 2")
        squares = (observed - means) ** 2
        unit = max(float(np.sqrt(squares.mean())), 1e-12)
        relative, spread = squares / unit**2, (deviations / unit) ** 2

        def loss(logarithms: Array) -> float:
            scale, floor = np.exp(2 * logarithms)
            variances = scale * spread + floor
            return float((relative / variances + np.log(variances)).mean())

        # from both ends: all of it the predictor's own, or none
        starts = [np.array([0.0, -1.0]), np.array([-3.0, 0.0])]
        found = [minimize(loss, start, method="L-BFGS-B", bounds=[(-8.0, 4.0), (-8.0, 4.0)]) for start in starts]
        best = min(found, key=lambda result: float(result.fun)).x
        scale, floor = np.exp(best).tolist()
        return cls(scale, floor * unit)

    def deviations(self, predicted: Array) -> Array:
        """Return the calibrated deviations of predicted ones."""
        calibrated: Array = np.sqrt((self.scale * predicted) ** 2 + self.floor**2)
        return calibrated


@dataclass(frozen=True, slots=True)
class PredictionQuality:
    """How good predictions are, measured on examples that nothing was learnt from.

    Attributes:
        num_examples: on which it was measured.
        r2: share of the variance that is explained, at most 1.
        kendall_tau: rank correlation (tau-b) of predicted and observed, -1 to 1.
        root_mean_squared_error: in the unit of the prediction.
        calibration_error: mean over `COVERAGES` of how far the share of observations in a central interval is off.
        coverage_90: share of observations in the central 90 % interval.
    """

    num_examples: int
    r2: float
    kendall_tau: float
    root_mean_squared_error: float
    calibration_error: float
    coverage_90: float

    @classmethod
    def measured(cls, means: Array, deviations: Array, observed: Array) -> PredictionQuality:
        """Return the quality of predictions.

        Args:
            means: (num_examples,).
            deviations: (num_examples,), above 0.
            observed: (num_examples,), at least 2 that differ.

        Raises:
            ValueError: there are fewer, or all are equal.
        """
        from scipy.special import ndtr
        from scipy.stats import kendalltau

        if len(observed) < 2 or float(np.ptp(observed)) == 0:
            raise ValueError(f"{len(observed)} observations, all equal or too few, measure nothing; give more")
        errors = observed - means
        # the share of the predicted distribution that is nearer to its middle than the observation
        depths = 2 * ndtr(np.abs(errors) / deviations) - 1
        shares = [float((depths <= coverage).mean()) for coverage in COVERAGES]
        return cls(
            len(observed),
            1 - float((errors**2).sum() / ((observed - observed.mean()) ** 2).sum()),
            _finite(float(kendalltau(means, observed).statistic)),
            float(np.sqrt((errors**2).mean())),
            float(np.mean([abs(share - coverage) for share, coverage in zip(shares, COVERAGES, strict=True)])),
            float((depths <= 0.9).mean()),
        )


def _finite(correlation: float) -> float:
    """Return a correlation; that with a constant prediction, which orders nothing, is 0."""
    return correlation if np.isfinite(correlation) else 0.0
