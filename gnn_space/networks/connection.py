"""How a block's input goes around it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gnn_space.networks.selection import Weighted, mixed


class Connection(nn.Module):
    """None: y. Skip: ``y + S x``, S a linear map where x has other channels. Dense: ``D [y | y_1 | ... | y_{i-1}]``.

    x is the block's input and y what its layers make of it, y_j are the outputs of the earlier blocks on the nodes that
    are still there, and D is a linear map. Skip connections are those of residual networks (He et al. 2016,
    arXiv:1512.03385), dense ones those of Huang et al. 2017 (arXiv:1608.06993); both in graph networks: Li et al. 2019
    (DeepGCNs, arXiv:1904.03751).

    Shapes: (num_nodes, in_channels) and (num_nodes, width) to (num_nodes, width).

    Args:
        options: that there are.
        in_channels: channels of x.
        width: channels of y and of the earlier blocks' outputs.
        num_earlier: number of earlier blocks.
    """

    def __init__(self, options: Sequence[str], in_channels: int, width: int, num_earlier: int) -> None:
        super().__init__()
        if "skip" in options:
            self.skip = nn.Identity() if in_channels == width else nn.Linear(in_channels, width)
        if "dense" in options:
            self.dense = nn.Linear((1 + num_earlier) * width, width)

    def forward(self, x: Tensor, y: Tensor, earlier: Sequence[Tensor], connections: Sequence[Weighted]) -> Tensor:
        """Return the mixture of the connections that are run; `earlier` is read by a dense one alone."""
        return mixed((weight, self._connected(option, x, y, earlier)) for option, weight in connections)

    def _connected(self, option: str, x: Tensor, y: Tensor, earlier: Sequence[Tensor]) -> Tensor:
        match option:
            case "skip":
                outputs: Tensor = y + self.skip(x)
            case "dense":
                outputs = self.dense(torch.cat([y, *earlier], dim=1))
            case _:
                outputs = y
        return outputs
