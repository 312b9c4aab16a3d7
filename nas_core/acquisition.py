"""Acquisition functions: which candidates to evaluate next, given the predicted mean and deviation of their costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Acquisition = Callable[[Array, Array, float, np.random.Generator], Array]
"""(mean, standard deviation, lowest cost told, generator) -> a value for each candidate; the lowest are evaluated."""


def predicted_mean(mean: Array, deviation: Array, best: float, generator: np.random.Generator) -> Array:
    """Return the mean: pure exploitation."""
    return mean


def confidence_bound(exploration: float) -> Acquisition:
    """Return the bound mean - exploration * deviation (Srinivas et al. 2010, arXiv:0912.3995).

    For a score that is maximized, this is its upper confidence bound. Differs from the paper: the factor is fixed.
    """

    def acquisition(mean: Array, deviation: Array, best: float, generator: np.random.Generator) -> Array:
        return mean - exploration * deviation

    return acquisition


def expected_improvement(mean: Array, deviation: Array, best: float, generator: np.random.Generator) -> Array:
    """Return minus the expected improvement E[max(0, best - y)] of y ~ N(mean, deviation) (Jones et al. 1998).

    It is (best - m) F(z) + s f(z) with z = (best - m) / s, F and f the standard normal distribution and density; where
    s is 0, max(0, best - m). Candidates of which no improvement is expected come after all others, by their means.
    """
    from scipy.special import ndtr

    gap = best - mean
    certain = deviation <= 0
    spread = np.where(certain, 1.0, deviation)
    with np.errstate(over="ignore"):
        z = gap / spread
        density = np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)
    improvement = np.where(certain, np.maximum(gap, 0.0), gap * ndtr(z) + spread * density)
    values: Array = np.where(improvement > 0, -improvement, np.maximum(-gap, 0.0))
    return values


def thompson_sampling(mean: Array, deviation: Array, best: float, generator: np.random.Generator) -> Array:
    """Return a draw y ~ N(mean, deviation) for each candidate independently (White et al. 2021, arXiv:1910.11858)."""
    return generator.normal(mean, deviation)
