"""Laws of dominance, fronts and hypervolume."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nas_core.pareto import dominates, front, hypervolume, ranks

COST = st.integers(0, 5).map(float)


def tuples(size: int) -> st.SearchStrategy[tuple[float, ...]]:
    return st.tuples(*[COST] * size)


POINTS = st.integers(1, 4).flatmap(lambda size: st.lists(tuples(size), min_size=1, max_size=12))
TRIPLES = st.integers(1, 4).flatmap(lambda size: st.tuples(*[tuples(size)] * 3))


@given(TRIPLES)
def test_dominance_is_a_strict_partial_order(points: tuple[tuple[float, ...], ...]) -> None:
    first, second, third = points
    assert not dominates(first, first)
    assert not (dominates(first, second) and dominates(second, first))
    if dominates(first, second) and dominates(second, third):
        assert dominates(first, third)


@given(POINTS, st.randoms(use_true_random=False))
def test_the_front_does_not_depend_on_order_or_repetition(points: list[tuple[float, ...]], random: object) -> None:
    shuffled = points + points[:3]
    random.shuffle(shuffled)
    assert {points[place] for place in front(points)} == {shuffled[place] for place in front(shuffled)}


@given(POINTS)
def test_every_point_off_the_front_is_dominated_from_it(points: list[tuple[float, ...]]) -> None:
    best = set(front(points).tolist())
    assert best
    for place, point in enumerate(points):
        assert (place not in best) == any(dominates(points[one], point) for one in best)


@given(POINTS)
def test_a_rank_is_reached_from_the_one_before(points: list[tuple[float, ...]]) -> None:
    found = ranks(points)
    for place, rank in enumerate(found):
        if rank:
            before = [points[other] for other in np.flatnonzero(found == rank - 1)]
            assert any(dominates(other, points[place]) for other in before)


@given(POINTS.filter(lambda points: len(points) > 1))
def test_hypervolume_grows_with_points_and_depends_on_the_front_alone(points: list[tuple[float, ...]]) -> None:
    reference = [6.0] * len(points[0])
    whole = hypervolume(points, reference)
    assert hypervolume(points[1:], reference) <= whole + 1e-9
    assert abs(hypervolume([points[place] for place in front(points)], reference) - whole) <= 1e-9 * (1 + whole)


@given(POINTS, st.data())
def test_hypervolume_grows_with_a_better_point(points: list[tuple[float, ...]], data: st.DataObject) -> None:
    reference = [6.0] * len(points[0])
    place = data.draw(st.integers(0, len(points) - 1))
    better = [*points[:place], tuple(cost - 1 for cost in points[place]), *points[place + 1 :]]
    assert hypervolume(better, reference) >= hypervolume(points, reference) - 1e-9
