"""Random changes of training images that keep their label, for a whole batch at once."""

from __future__ import annotations

import torch
from torch import Tensor


def shift(images: Tensor, offsets: Tensor, margin: int) -> Tensor:
    """Return images moved by whole pixels, with zeros (black, before normalization) where nothing moved in.

    Args:
        images: (batch, channels, height, width), any dtype.
        offsets: integers (batch, 2) in 0..2 margin, rows and columns: `margin` stays in place, 0 moves down (right) by
            `margin` pixels.
        margin: largest shift in pixels.
    """
    batch, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (margin, margin, margin, margin))
    rows = offsets[:, :1] + torch.arange(height, device=images.device)
    columns = offsets[:, 1:] + torch.arange(width, device=images.device)
    index = torch.arange(batch, device=images.device)[:, None, None]
    # indices around a slice put the channels last: (batch, height, width, channels)
    return padded[index, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def flip(images: Tensor, flipped: Tensor) -> Tensor:
    """Return images (batch, channels, height, width), those where `flipped` (batch,) is true mirrored left to right."""
    return torch.where(flipped[:, None, None, None], images.flip(-1), images)
