"""Sums of messages under several attentions at once."""

from __future__ import annotations

from torch import Tensor

from gnn_space.convolutions.message_passing import sum_by_target
from gnn_space.convolutions.neighbor_sum import neighbor_sum


def heads_sum(values: Tensor, edge_index: Tensor, attention: Tensor) -> Tensor:
    """Return for each node the sum of its neighbors' values under each head's attention, the heads side by side.

    Args:
        values: (num_nodes, heads, channels).
        edge_index: edges (2, num_edges) as (source, target).
        attention: (num_edges, heads).

    Returns:
        (num_nodes, heads * channels).
    """
    if values.is_cpu:
        return neighbor_sum(values, edge_index, attention).flatten(1)
    messages = attention.unsqueeze(2) * values.index_select(0, edge_index[0])
    return sum_by_target(messages, edge_index, values.shape[0]).flatten(1)


def channels_per_head(out_channels: int, heads: int) -> int:
    """Return the channels of each head.

    Raises:
        ValueError: the channels cannot be divided among the heads.
    """
    if out_channels % heads:
        raise ValueError(f"out_channels is {out_channels}, and there are {heads} heads; give a multiple of {heads}")
    return out_channels // heads
