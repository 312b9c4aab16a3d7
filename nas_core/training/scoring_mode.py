"""The mode that training-free scores look at a network in: as at the first step of a training, but for its dropout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from nas_core.training.measurement import in_mode

DROPOUTS = nn.Dropout | nn.Dropout1d | nn.Dropout2d | nn.Dropout3d | nn.AlphaDropout | nn.FeatureAlphaDropout


@contextmanager
def scoring_mode(network: nn.Module) -> Iterator[None]:
    """Hold a network in training mode, dropout off, within a ``with`` block; then restore modes and buffers.

    Normalization is by the statistics of the minibatch, since an untrained network has no others. Dropout would draw
    from the global generator. A gradient must be asked for within the block: the buffers that it goes back to change
    at its end.
    """
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    with in_mode(network, training=True):
        for module in network.modules():
            if isinstance(module, DROPOUTS):
                module.eval()
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
