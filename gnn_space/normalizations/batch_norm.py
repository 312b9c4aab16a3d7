"""Batch normalization over all nodes of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gnn_space.normalizations.none import NoNormalization


class BatchNormalization(nn.Module):
    """`nn.BatchNorm1d` over the nodes, with statistics weighted by their presence.

    mean = sum p_i x_i / sum p_i, variance = sum p_i (x_i - mean)^2 / sum p_i; the running variance takes the unbiased
    one, times ``1 / (1 - sum p_i^2 / (sum p_i)^2)``, which is n / (n - 1) where all are there. Ioffe and Szegedy 2015,
    arXiv:1502.03167. Differs from the paper: presence; and a training batch that has only one node, for which
    nn.BatchNorm1d raises, gives the shift and leaves the running statistics as they are.

    Args:
        channels: channels of x.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor, batch: Tensor, num_graphs: int, presence: Tensor | None) -> Tensor:
        """Return (num_nodes, channels)."""
        if not self.training or (presence is None and x.shape[0] > 1):
            outputs: Tensor = self.norm(x)
            return outputs
        return self._weighted(x, x.new_ones(x.shape[0]) if presence is None else presence)

    def unnormalized(self) -> nn.Module:
        """Return what takes this module's place where a signal is followed through the weights alone."""
        return NoNormalization(self.norm.num_features)

    def _weighted(self, x: Tensor, presence: Tensor) -> Tensor:
        """Return the features normalized with weighted statistics, which the running ones take in."""
        total = presence.sum()
        weight = (presence / torch.where(total > 0, total, 1)).unsqueeze(1)
        mean = (weight * x).sum(dim=0)
        variance = (weight * (x - mean).square()).sum(dim=0)
        with torch.no_grad():
            self._update(mean, variance, 1 - weight.square().sum())
        normalized = (x - mean) * (variance + self.norm.eps).rsqrt()
        return normalized * self.norm.weight + self.norm.bias

    def _update(self, mean: Tensor, variance: Tensor, freedom: Tensor) -> None:
        """Move the running statistics towards those of a batch, unless it has a single node.

        Args:
            mean: (channels,).
            variance: (channels,), the biased one.
            freedom: 1 - 1/n for n nodes that are all there.
        """
        tracked, running_mean, running_var = (
            self.norm.num_batches_tracked,
            self.norm.running_mean,
            self.norm.running_var,
        )
        if tracked is None or running_mean is None or running_var is None:
            return
        several = (freedom > 1e-6) & (freedom < 1)
        tracked += several
        momentum = 1 / tracked.clamp(min=1) if self.norm.momentum is None else self.norm.momentum
        step = torch.where(several, momentum, 0)
        running_mean += step * (mean - running_mean)
        running_var += step * (variance / torch.where(several, freedom, 1) - running_var)
