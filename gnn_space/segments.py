"""Sums, maxima and attention over the nodes of each graph."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def segment_sum(values: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
    """Return the sum of the values (num_nodes, ...) of each graph's nodes, (num_graphs, ...)."""
    return values.new_zeros(num_graphs, *values.shape[1:]).index_add(0, batch, values)


def segment_max(values: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
    """Return the maximum over each graph's nodes of values (num_nodes, channels); -inf for a graph without nodes.

    Where several nodes have it, the gradient is spread evenly over them, as torch does.
    """
    largest: Tensor = _SegmentMax.apply(values, batch, num_graphs)  # type: ignore[no-untyped-call]  # torch's
    return largest


class _SegmentMax(torch.autograd.Function):
    """Torch's own gradient looks up every number by itself; this one looks up rows, in a third of the time."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, batch: Tensor, num_graphs: int) -> Tensor:
        index = batch.unsqueeze(1).expand_as(values)
        largest = values.new_full((num_graphs, values.shape[1]), -torch.inf).scatter_reduce(0, index, values, "amax")
        ctx.save_for_backward(values, batch, largest)
        return largest

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        values, batch, largest = ctx.saved_tensors
        # 1 where a value is the largest, 0 where it is less, in place: comparing makes and converts one tensor more
        largest = torch.where(largest.isfinite(), largest, 0)
        has_it = largest.index_select(0, batch).neg_().add_(values).sign_().add_(1)
        share = gradient / segment_sum(has_it, batch, len(largest)).clamp(min=1)
        return has_it * share.index_select(0, batch), None, None


def present_nodes(x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
    """Return how many nodes each graph has, by their presence: (num_graphs,) of x's type."""
    return segment_sum(x.new_ones(x.shape[0]) if presence is None else presence, batch, num_graphs)


def attended_mean(x: Tensor, logits: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
    """Return ``sum_i exp(s_i) x_i / sum_i p_i exp(s_i)`` over the nodes of each graph, zeros for an empty one.

    That is the mean of h under attentions that are proportional to ``p_i exp(s_i)``, where ``x_i = p_i h_i``.

    Args:
        x: features times presence (num_nodes, channels).
        logits: s (num_nodes,).
        batch: graph of each node (num_nodes,).
        num_graphs: number of graphs.
        presence: p (num_nodes,); None is 1 for each.
    """
    logits = logits.unsqueeze(1)
    if presence is not None:
        logits = logits.masked_fill(presence.unsqueeze(1) == 0, -torch.inf)
    with torch.no_grad():  # nothing changes when a number is added to all logits of a graph
        largest = segment_max(logits, batch, num_graphs)
        largest = torch.where(largest.isfinite(), largest, 0)
    terms = (logits - largest.index_select(0, batch)).exp()
    totals = segment_sum(terms if presence is None else terms * presence.unsqueeze(1), batch, num_graphs)
    return segment_sum(terms * x, batch, num_graphs) / torch.where(totals > 0, totals, 1)
