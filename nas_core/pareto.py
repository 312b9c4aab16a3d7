"""Pareto dominance of costs: the non-dominated front, ranks and the hypervolume, by moocore, and crowding distances."""

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


def crowding_distances(costs: ArrayLike) -> NDArray[np.float64]:
    """Return how far each row's neighbors are from each other, summed over the objectives; infinite at the ends.

    d_i = sum over objectives of (f[next] - f[previous]) / (max f - min f), with the rows sorted by each objective in
    turn; the first and the last row of each order have infinite distance. An objective in which all rows are equal
    adds nothing, for the ends neither. Of equal values the earlier row comes first.

    Deb et al. 2002 (NSGA-II), section III-B; extremes are those of the given rows, as in the authors' code. Follows the
    paper, but for objectives without a difference, which the paper divides by.

    Args:
        costs: (num_points, num_objectives), finite, of one rank.
    """
    points = _points(costs)
    distances = np.zeros(len(points))
    for values in points.T if len(points) else ():
        order = np.argsort(values, kind="stable")
        ordered = values[order]
        width = ordered[-1] - ordered[0]
        if width > 0:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / width
            distances[order[[0, -1]]] = np.inf
    return distances


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
