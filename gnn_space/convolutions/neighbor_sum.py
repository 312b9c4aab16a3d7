"""Weighted sums of neighbors without messages: on the CPU writing down a message costs more than adding it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gnn_space.stable_order import stable_order

NUMBERS_OF_A_CHUNK = 2**16  # 256 kB of float32 stay in a core's cache


def neighbor_sum(x: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Tensor:
    """Return for each node i the sums ``sum_j w_ijh x_jh`` over its edges from j, (num_nodes, heads, channels).

    Forward and backward, no message is kept: the gradient of x is the sum over the turned edges, that of a weight the
    product in `edge_products`. Each may be differentiated again, as often as one likes. The order of the sums is that
    of the edges, whatever the device.

    Args:
        x: features (num_nodes, heads, channels).
        edge_index: edges (2, num_edges) as (source, target), in any order.
        edge_weight: weights (num_edges, heads), numbers of x's type.
    """
    sums: Tensor = _NeighborSum.apply(x, edge_index, edge_weight)  # type: ignore[no-untyped-call]  # torch's
    return sums


def edge_products(of_target: Tensor, of_source: Tensor, edge_index: Tensor) -> Tensor:
    """Return ``sum_c t_ihc s_jhc`` for each edge from j to i, (num_edges, heads).

    Args:
        of_target: t (num_nodes, heads, channels).
        of_source: s (num_nodes, heads, channels).
        edge_index: edges (2, num_edges) as (source, target).
    """
    products: Tensor = _EdgeProducts.apply(of_target, of_source, edge_index)  # type: ignore[no-untyped-call]  # torch's
    return products


class _NeighborSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, edge_index: Tensor, edge_weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, edge_index, edge_weight)
        num_nodes, heads, channels = x.shape
        order = stable_order(edge_index[1])
        first_row = edge_index[0].index_select(0, order) * heads
        num_incoming = order.new_zeros(num_nodes).index_add_(0, edge_index[1], torch.ones_like(order))
        first_edge = num_incoming.cumsum(0) - num_incoming
        rows = x.reshape(num_nodes * heads, channels)
        sums = [
            functional.embedding_bag(first_row + head, rows, first_edge, mode="sum", per_sample_weights=weight)
            for head, weight in enumerate(edge_weight.index_select(0, order).t().contiguous())
        ]
        return torch.stack(sums, dim=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None, Tensor | None]:
        x, edge_index, edge_weight = ctx.saved_tensors
        of_x = neighbor_sum(gradient, edge_index.flip(0), edge_weight) if ctx.needs_input_grad[0] else None
        of_weight = edge_products(gradient, x, edge_index) if ctx.needs_input_grad[2] else None
        return of_x, None, of_weight


class _EdgeProducts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, of_target: Tensor, of_source: Tensor, edge_index: Tensor) -> Tensor:
        ctx.save_for_backward(of_target, of_source, edge_index)
        num_edges = max(1, NUMBERS_OF_A_CHUNK // max(1, of_target[:1].numel()))
        return torch.cat(
            [
                torch.linalg.vecdot(of_target.index_select(0, target), of_source.index_select(0, source))
                for source, target in torch.split(edge_index, num_edges, dim=1)
            ]
        )

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        of_target, of_source, edge_index = ctx.saved_tensors
        first = neighbor_sum(of_source, edge_index, gradient) if ctx.needs_input_grad[0] else None
        second = neighbor_sum(of_target, edge_index.flip(0), gradient) if ctx.needs_input_grad[1] else None
        return first, second, None
