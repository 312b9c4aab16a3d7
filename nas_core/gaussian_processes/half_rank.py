"""Warping of costs, so that a few very bad ones do not decide what a model of them looks like."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def half_rank(costs: Array) -> Array:
    """Return the costs, of which those above the median are replaced by quantiles of a normal distribution.

    A cost of rank r among n (from 1, ties share the mean) above the median m becomes m + s F^-1((r - .5) / n), with F
    the standard normal distribution and s the root mean square of c - m over the costs c <= m, as if the bad half were
    the mirror of the good one; if that is 0, s is the standard deviation of all. The order stays, and so do the costs
    that matter.

    Half-rank warping of the Vizier Gaussian process bandit (Song et al. 2024, arXiv:2408.11527). Differs from the
    paper: the median and what equals it are left as they are, and no further warping follows.

    Args:
        costs: (num_examples,), at least one, finite; lower is better.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    median = np.median(costs)
    bad = costs > median
    scale = np.sqrt(np.mean((costs[~bad] - median) ** 2)) or costs.std()
    warped = costs.copy()
    warped[bad] = median + scale * ndtri((rankdata(costs)[bad] - 0.5) / len(costs))
    return warped
