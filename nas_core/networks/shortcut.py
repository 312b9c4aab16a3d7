"""A skip connection by addition, without a projection."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Shortcut(nn.Module):
    """Adds an earlier feature map, each channel with a learnable weight of its own.

    Where the earlier one has fewer channels, the others get nothing (zero padding, option A of He et al. 2016,
    arXiv:1512.03385); where it has more, those beyond are left out. Weights of 1 make the plain addition, weights of 0
    a network without the connection, as the morphism of Elsken, Metzen & Hutter 2017 (arXiv:1711.04528) needs it.

    Shapes: (batch, out_channels, height, width) and (batch, source_channels, height, width) to the first of them.

    Args:
        source_channels: channels of what is added.
        out_channels: channels of what it is added to.
    """

    def __init__(self, source_channels: int, out_channels: int) -> None:
        super().__init__()
        self.num_padded = max(0, out_channels - source_channels)
        self.scale = nn.Parameter(torch.empty(min(source_channels, out_channels)))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set all weights to 1."""
        nn.init.ones_(self.scale)

    def forward(self, outputs: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
        """Return the sum."""
        added = self.scale[:, None, None] * source[:, : len(self.scale)]
        return outputs + functional.pad(added, (0, 0, 0, 0, 0, self.num_padded))
