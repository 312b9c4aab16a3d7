"""Dominance, fronts, ranks and hypervolumes against hand-worked values and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from nas_core.pareto import crowding_distances, dominates, front, hypervolume, ranks

POINTS = [(1.0, 5.0), (2.0, 2.0), (5.0, 1.0), (3.0, 3.0), (2.0, 2.0), (6.0, 6.0)]


def brute_force_ranks(points: NDArray[np.float64]) -> list[int]:
    found = [-1] * len(points)
    left = set(range(len(points)))
    rank = 0
    while left:
        best = {one for one in left if not any(dominates(points[other], points[one]) for other in left)}
        for one in best:
            found[one] = rank
        left -= best
        rank += 1
    return found


def grid_volume(points: NDArray[np.float64], reference: tuple[int, ...]) -> int:
    """Count the unit cubes of a grid that some point dominates; exact where all costs are whole numbers."""
    cubes = np.stack(np.meshgrid(*[np.arange(size) for size in reference], indexing="ij"), -1).reshape(
        -1, len(reference)
    )
    return int((points[None] <= cubes[:, None]).all(axis=2).any(axis=1).sum())


def test_dominance_by_hand() -> None:
    assert dominates((1, 2), (1, 3))
    assert not dominates((1, 2), (1, 2))
    assert not dominates((1, 3), (2, 2))
    with pytest.raises(ValueError):
        dominates((1, 2), (1, 2, 3))


def test_the_front_keeps_duplicates() -> None:
    assert front(POINTS).tolist() == [0, 1, 2, 4]


def test_ranks_by_hand() -> None:
    assert ranks(POINTS).tolist() == [0, 0, 0, 1, 0, 2]


def test_hypervolume_by_hand() -> None:
    # (1, 2) covers 3 x 2, (2, 1) adds 2 x 1 below it
    assert hypervolume([(1, 2), (2, 1)], (4, 4)) == pytest.approx(8.0)
    assert hypervolume([(1, 2), (2, 1), (2, 3), (1, 2)], (4, 4)) == pytest.approx(8.0)


def test_what_is_not_below_the_reference_adds_nothing() -> None:
    assert hypervolume([(4, 0), (9, 9)], (4, 4)) == 0.0
    assert hypervolume([(1, 2), (0, 5)], (4, 4)) == pytest.approx(6.0)


@pytest.mark.parametrize("num_objectives", [1, 2, 3, 4])
def test_all_agree_with_brute_force(num_objectives: int) -> None:
    generator = np.random.default_rng(num_objectives)
    for num_points in (1, 2, 7, 30):
        points = generator.integers(0, 6, (num_points, num_objectives)).astype(float)
        expected = brute_force_ranks(points)
        assert ranks(points).tolist() == expected
        assert front(points).tolist() == [place for place, rank in enumerate(expected) if rank == 0]
        reference = (5,) * num_objectives
        assert hypervolume(points, reference) == pytest.approx(grid_volume(points, reference))


def test_no_points_have_no_front_and_no_volume() -> None:
    assert front([]).tolist() == []
    assert ranks(np.zeros((0, 2))).tolist() == []
    assert hypervolume([], (1.0, 1.0)) == 0.0


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(num_points, num_objectives\\)"):
        front([1.0, 2.0])
    with pytest.raises(ValueError, match="not all finite"):
        ranks([(1.0, float("nan"))])
    with pytest.raises(ValueError, match="reference has 3 objectives"):
        hypervolume([(1.0, 2.0)], (1.0, 1.0, 1.0))


def test_crowding_distances_by_hand() -> None:
    # in the first objective 0 1 3 10, in the second 10 6 4 0: for (1, 6) 3/10 + 6/10, for (3, 4) 9/10 + 6/10
    points = [[3.0, 4.0], [0.0, 10.0], [10.0, 0.0], [1.0, 6.0]]
    assert crowding_distances(points).tolist() == pytest.approx([1.5, np.inf, np.inf, 0.9])


def test_crowding_distances_of_few_and_of_equal_points() -> None:
    assert crowding_distances([]).tolist() == []
    assert crowding_distances([[1.0, 2.0]]).tolist() == [0.0]
    assert crowding_distances([[1.0, 2.0], [2.0, 2.0]]).tolist() == [np.inf, np.inf]
    # an objective in which all are equal tells nobody apart
    assert crowding_distances([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]]).tolist() == [np.inf, 1.0, np.inf]
    # of copies of an end one is at the end, the other beside it
    assert crowding_distances([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]]).tolist()[2] == np.inf
