"""Sparsemax over the segments of a vector: a softmax that gives exact zeros."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def segment_sparsemax(values: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    """Return the projection of each segment onto the simplex: the weights at least 0 with sum 1 that are nearest to it.

    sparsemax(z)_i = max(z_i - tau, 0), with tau such that the weights of the segment add up to 1. The gradient is
    exact: with S the support {i: z_i > tau}, dL/dz_i = g_i - mean of g over S for i in S, else 0. It may be
    differentiated again.

    Martins & Astudillo 2016 (arXiv:1602.02068). Follows the paper, but for how tau is found on the CPU: there,
    asking how many values are left costs nothing, so those below the threshold are thrown out until none is (Michelot
    1986, J. Optim. Theory Appl. 50), which is exact too and needs no sorting. Elsewhere the values are sorted, and the
    host waits for nothing.

    Args:
        values: (num_values,) floating point, finite.
        segment: segment of each value (num_values,) int64, in any order.
        num_segments: number of segments; some may have no values.

    Returns:
        Weights (num_values,).
    """
    weights: Tensor = _SegmentSparsemax.apply(values, segment, num_segments)  # type: ignore[no-untyped-call]  # torch's
    return weights


class _SegmentSparsemax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, segment: Tensor, num_segments: int) -> Tensor:
        largest = values.new_zeros(num_segments).scatter_reduce_(0, segment, values, "amax", include_self=False)
        shifted = values - largest.index_select(0, segment)
        find = thresholds_by_elimination if values.device.type == "cpu" else thresholds_by_sorting
        weights = (shifted - find(shifted, segment, num_segments).index_select(0, segment)).clamp_(min=0)
        ctx.save_for_backward(weights > 0, segment)
        ctx.num_segments = num_segments
        return weights

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        support, segment = ctx.saved_tensors
        inside = gradient * support
        mean = _sum(inside, segment, ctx.num_segments) / _count(support, inside, segment, ctx.num_segments)
        return inside - mean.index_select(0, segment) * support, None, None


def thresholds_by_elimination(shifted: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    """Return tau of each segment, by throwing out what is below the threshold of what is left until nothing is.

    Each pass is a Newton step for the convex function sum max(z - tau, 0) = 1 from the left of its root, so what is
    thrown out stays out. The number of passes depends on the values: on an accelerator the host would wait for each.

    Args:
        shifted: values (num_values,), of which the largest of each segment is 0.
        segment: segment of each value (num_values,).
        num_segments: number of segments.

    Returns:
        (num_segments,), in [-1, 0); -1 for a segment without values.
    """
    left = torch.nonzero(shifted > -1).squeeze(1)  # no tau is lower: the largest value has a weight of at most 1
    while True:
        shifted, segment = shifted.index_select(0, left), segment.index_select(0, left)
        count = _count(torch.ones_like(shifted), shifted, segment, num_segments)
        tau = (_sum(shifted, segment, num_segments) - 1) / count
        left = torch.nonzero(shifted > tau.index_select(0, segment)).squeeze(1)
        if len(left) == len(shifted):
            return tau


def thresholds_by_sorting(shifted: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    """Return tau of each segment as the paper does, by sorting; shapes depend on nothing but shapes.

    The support is the longest run of the sorted values with 1 + r z_r > z_1 + ... + z_r.

    Args:
        shifted: values (num_values,), of which the largest of each segment is 0.
        segment: segment of each value (num_values,).
        num_segments: number of segments.

    Returns:
        (num_segments,), in [-1, 0); -1 for a segment without values.
    """
    falling, order = torch.sort(shifted, descending=True)
    segment, order = torch.sort(segment.index_select(0, order), stable=True)
    # sums run on from one segment to the next: as float64, and without the large numbers that are never in the support
    falling = falling.index_select(0, order).clamp(min=-1)
    length = _sum(torch.ones_like(segment), segment, num_segments)
    start = (length.cumsum(0) - length).index_select(0, segment)
    rank = torch.arange(1, len(segment) + 1, device=segment.device) - start
    running = torch.nn.functional.pad(falling.double().cumsum(0), (1, 0))
    support = 1 + rank * falling.double() > running[1:] - running.index_select(0, start)
    inside = falling * support
    return (_sum(inside, segment, num_segments) - 1) / _count(support, inside, segment, num_segments)


def _sum(values: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    return values.new_zeros(num_segments).index_add(0, segment, values)


def _count(chosen: Tensor, like: Tensor, segment: Tensor, num_segments: int) -> Tensor:
    """Return how many of each segment are chosen, at least 1, as numbers of another tensor's type."""
    return _sum(chosen.to(like.dtype), segment, num_segments).clamp_(min=1)
