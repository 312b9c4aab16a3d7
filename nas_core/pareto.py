"""Pareto dominance: the non-dominated front, ranks and the hypervolume of costs, computed by moocore."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Return whether costs are nowhere higher than others and somewhere lower; a strict partial order."""
    pairs = list(zip(first, second, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def front(costs: ArrayLike) -> NDArray[np.intp]:
    """Return the ascending indices of the rows that no other row dominates; duplicates are all kept.

    Args:
        costs: (num_points, num_objectives), finite; lower is better.
    """
    points = _points(costs)
    if not len(points):
        return np.zeros(0, dtype=np.intp)
    import moocore

    kept: NDArray[np.intp] = np.flatnonzero(moocore.is_nondominated(points, keep_weakly=True))
    return kept


def ranks(costs: ArrayLike) -> NDArray[np.intp]:
    """Return the non-dominated rank of each row: 0 on the front, 1 on the front of the rest, and so on.

    Non-dominated sorting of NSGA-II (Deb et al. 2002). Duplicates share a rank.

    Args:
        costs: (num_points, num_objectives), finite; lower is better.
    """
    points = _points(costs)
    if not len(points):
        return np.zeros(0, dtype=np.intp)
    import moocore

    return np.asarray(moocore.pareto_rank(points), dtype=np.intp)


def hypervolume(costs: ArrayLike, reference: Sequence[float]) -> float:
    """Return the volume that is dominated by at least one row and dominates the reference point.

    Rows that do not lie below the reference in every objective add nothing; no rows have no volume.

    Args:
        costs: (num_points, num_objectives), finite; lower is better.
        reference: (num_objectives,), the worst cost that counts, for each objective.

    Raises:
        ValueError: if the reference has another number of objectives.
    """
    points = _points(costs)
    if not len(points):
        return 0.0
    if points.shape[1] != len(reference):
        raise ValueError(
            f"the reference has {len(reference)} objectives, the costs have {points.shape[1]}; give one for each"
        )
    import moocore

    return float(moocore.hypervolume(points, ref=np.asarray(reference, dtype=np.float64)))


def _points(costs: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(costs, dtype=np.float64)
    if points.size and points.ndim != 2:
        raise ValueError(f"costs have shape {points.shape}; expected (num_points, num_objectives)")
    if not np.isfinite(points).all():
        raise ValueError("costs are not all finite; leave failures out")
    return points
