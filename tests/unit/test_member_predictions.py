"""What predictors of several members have in common, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from nas_core.member_predictions import CostScale, over_members


def test_costs_are_standardized_and_restored() -> None:
    costs = np.array([1.0, 3.0, 5.0])
    scale = CostScale.of(costs)
    assert (scale.center, scale.scale) == (3.0, pytest.approx((8 / 3) ** 0.5))
    np.testing.assert_allclose(scale.standardized(costs), [-(1.5**0.5), 0.0, 1.5**0.5])
    np.testing.assert_allclose(scale.restored(scale.standardized(costs)[None]), costs[None])


def test_equal_costs_and_one_keep_their_unit() -> None:
    for costs in (np.full(3, 0.25), np.array([0.25])):
        assert CostScale.of(costs) == CostScale(0.25, 1.0)
        assert CostScale.of(costs).standardized(costs).tolist() == [0.0] * len(costs)


def test_mean_and_deviation_over_members() -> None:
    mean, deviation = over_members(np.array([[1.0, 2.0], [3.0, 2.0]]))
    assert mean.tolist() == [2.0, 2.0]
    np.testing.assert_allclose(deviation, [2**0.5, 0.0])
    assert over_members(np.array([[1.0, 2.0]]))[1].tolist() == [0.0, 0.0]
