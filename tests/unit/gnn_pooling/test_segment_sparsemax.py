"""Sparsemax over segments against closed forms, against the definition of a projection, and its gradient."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from gnn_space.pooling.sparsemax import segment_sparsemax, thresholds_by_elimination, thresholds_by_sorting


def row_sparsemax(z: Tensor) -> Tensor:
    """Returns the sparsemax of one vector, by trying every size of the support."""
    falling = sorted(z.tolist(), reverse=True)
    for size in range(len(falling), 0, -1):
        tau = (sum(falling[:size]) - 1) / size
        if falling[size - 1] > tau:
            return (z - tau).clamp(min=0)
    raise AssertionError("a support of one is always possible")


def segments(sizes: list[int]) -> Tensor:
    return torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes, dtype=torch.int64))


def random_segments(seed: int, spread: float = 2.0) -> tuple[Tensor, Tensor, int]:
    """Returns values of segments in no order, of which some are empty."""
    generator = torch.Generator().manual_seed(seed)
    segment = torch.randint(12, (60,), generator=generator)
    values = spread * torch.randn(60, generator=generator, dtype=torch.float64)
    return values, segment, 14


def test_published_values() -> None:
    z = torch.tensor([1.7301, 0.6792, -1.0565, 1.6614], dtype=torch.float64)
    weights = segment_sparsemax(z, torch.zeros(4, dtype=torch.int64), 1)
    assert weights.tolist() == pytest.approx([0.5343, 0.0, 0.0, 0.4657], abs=1e-4)
    # by hand: the support is {1.7301, 1.6614}, tau = (3.3915 - 1) / 2 = 1.19575
    assert weights.tolist() == pytest.approx([0.53435, 0.0, 0.0, 0.46565], abs=1e-12)


@pytest.mark.parametrize("difference", [-3.0, -1.0, -0.25, 0.0, 0.5, 1.0, 7.0])
def test_two_values_have_a_closed_form(difference: float) -> None:
    z = torch.tensor([2.0 + difference, 2.0], dtype=torch.float64)
    first = min(max((1 + difference) / 2, 0.0), 1.0)
    weights = segment_sparsemax(z, torch.zeros(2, dtype=torch.int64), 1)
    assert weights.tolist() == pytest.approx([first, 1 - first], abs=1e-14)


def test_equal_values_share_and_a_single_value_has_all() -> None:
    values = torch.tensor([5.0, 5.0, 5.0, 5.0, -800.0], dtype=torch.float64)
    assert segment_sparsemax(values, segments([4, 0, 1]), 3).tolist() == pytest.approx([0.25] * 4 + [1.0])


@pytest.mark.parametrize("sizes", [[1, 1, 1], [0, 0], []])
def test_segments_of_one_and_of_none(sizes: list[int]) -> None:
    values = torch.zeros(sum(sizes), dtype=torch.float64)
    assert segment_sparsemax(values, segments(sizes), len(sizes)).tolist() == [1.0] * sum(sizes)
    for thresholds in (thresholds_by_elimination, thresholds_by_sorting):
        assert thresholds(values, segments(sizes), len(sizes)).tolist() == [-1.0] * len(sizes)


@pytest.mark.parametrize("seed", range(5))
def test_segments_are_independent_and_may_be_in_any_order(seed: int) -> None:
    values, segment, num_segments = random_segments(seed)
    weights = segment_sparsemax(values, segment, num_segments)
    for each in range(num_segments):
        inside = segment == each
        if inside.any():
            torch.testing.assert_close(weights[inside], row_sparsemax(values[inside]), rtol=0, atol=1e-13)


@pytest.mark.parametrize("spread", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sorting_finds_the_same_thresholds(spread: float, dtype: torch.dtype) -> None:
    values, segment, num_segments = random_segments(7, spread)
    largest = values.new_full((num_segments,), -torch.inf).scatter_reduce(0, segment, values, "amax")
    shifted = (values - largest[segment]).to(dtype)
    torch.testing.assert_close(
        thresholds_by_sorting(shifted, segment, num_segments),
        thresholds_by_elimination(shifted, segment, num_segments),
        rtol=0,
        atol=1e-6 if dtype == torch.float32 else 1e-12,
    )


values_of_rows = st.lists(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=12), min_size=1, max_size=6).map(
    lambda rows: (torch.tensor([value for row in rows for value in row], dtype=torch.float64), list(map(len, rows)))
)


@settings(max_examples=60, deadline=None)
@given(values_of_rows, st.floats(-1000, 1000))
def test_weights_are_the_projection_onto_the_simplex(drawn: tuple[Tensor, list[int]], shift: float) -> None:
    values, sizes = drawn
    weights = segment_sparsemax(values, segments(sizes), len(sizes))
    assert (weights >= 0).all()
    for row, projected in zip(values.split(sizes), weights.split(sizes), strict=True):
        assert float(projected.sum()) == pytest.approx(1.0, abs=1e-12)
        # the nearest point p of a convex set: (z - p)(q - p) <= 0 for all of it, so for the corners of the simplex
        away = row - projected
        assert float(away.max() - away @ projected) <= 1e-10
    moved = segment_sparsemax(values + shift, segments(sizes), len(sizes))
    torch.testing.assert_close(moved, weights, rtol=0, atol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_gradient_and_its_gradient(seed: int) -> None:
    values, segment, num_segments = random_segments(seed)
    values.requires_grad_()
    assert torch.autograd.gradcheck(segment_sparsemax, (values, segment, num_segments))
    assert torch.autograd.gradgradcheck(segment_sparsemax, (values, segment, num_segments))


def test_gradient_is_that_of_the_support() -> None:
    values = torch.tensor([1.0, 0.6, -2.0], dtype=torch.float64, requires_grad=True)
    weights = segment_sparsemax(values, torch.zeros(3, dtype=torch.int64), 1)
    (gradient,) = torch.autograd.grad(weights @ torch.tensor([3.0, 1.0, 50.0], dtype=torch.float64), values)
    # two in the support, of which the mean of 3 and 1 is taken away
    assert gradient.tolist() == pytest.approx([1.0, -1.0, 0.0])


def test_large_batches_keep_the_precision_of_single_rows() -> None:
    values = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    segment = torch.arange(200_000) // 20
    sums = torch.zeros(10_000).index_add(0, segment, segment_sparsemax(values, segment, 10_000))
    assert float((sums - 1).abs().max()) < 1e-5
    shifted = values - values.view(-1, 20).amax(1)[segment]
    difference = thresholds_by_sorting(shifted, segment, 10_000) - thresholds_by_elimination(shifted, segment, 10_000)
    assert float(difference.abs().max()) < 1e-5
