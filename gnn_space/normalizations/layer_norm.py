"""Layer normalization of each node by itself."""

from __future__ import annotations

from torch import Tensor, nn

from gnn_space.normalizations.none import NoNormalization


class LayerNormalization(nn.Module):
    """``(x_i - mean) / sqrt(variance + 1e-5) * scale + shift`` over the channels of each node.

    Ba, Kiros and Hinton 2016, arXiv:1607.06450. Follows the paper.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_nodes, channels); neither the graphs nor the presence change anything."""
        outputs: Tensor = self.norm(x)
        return outputs

    def unnormalized(self) -> nn.Module:
        """Return what takes this module's place where a signal is followed through the weights alone."""
        return NoNormalization(self.norm.normalized_shape[0])
