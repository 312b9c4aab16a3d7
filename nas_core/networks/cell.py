"""The densely connected cell, written once for stand-alone networks and supernets."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from nas_core.weight_sharing.gates import Gates


def edges(num_nodes: int) -> tuple[tuple[int, int], ...]:
    """Return the edges (from, to) of the cell, by target node and then by source node."""
    return tuple((source, target) for target in range(1, num_nodes) for source in range(target))


class DenseCell(nn.Module):
    """Nodes in a row, each the sum over all earlier nodes of what the edge between makes of them.

    Node 0 is the input, the last node the output (Dong & Yang 2020, NAS-Bench-201, arXiv:2001.00326).

    Shapes: whatever the edges keep; (batch, channels, height, width).

    Args:
        num_nodes: nodes, input and output included; at least 2.
        edge: factory that is called with the index of an edge in `edges`, and returns its module. The module is called
            with the source node and with whatever the cell was called with besides: nothing, or gates.
    """

    def __init__(self, num_nodes: int, edge: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.num_nodes = num_nodes
        self.edges = nn.ModuleList(edge(index) for index in range(len(edges(num_nodes))))

    def forward(self, inputs: torch.Tensor, *gates: Gates) -> torch.Tensor:
        """Return the last node."""
        nodes = [inputs]
        index = 0
        for _ in range(1, self.num_nodes):
            total: torch.Tensor = self.edges[index](nodes[0], *gates)
            for source, node in enumerate(nodes[1:], start=1):
                total = total + self.edges[index + source](node, *gates)
            index += len(nodes)
            nodes.append(total)
        return nodes[-1]
