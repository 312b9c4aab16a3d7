"""Reading images at positions between pixels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional


def shifted_positions(images: Tensor, x_shift: Tensor, y_shift: Tensor) -> tuple[Tensor, Tensor]:
    """Return every pixel's own position plus a shift, in pixels, as x and y of shape (batch, height, width).

    Args:
        images: (batch, channels, height, width).
        x_shift: pixels to the right, anything that broadcasts to (batch, height, width).
        y_shift: pixels down, likewise.
    """
    batch, _, height, width = images.shape
    columns = torch.arange(width, device=images.device, dtype=images.dtype)
    rows = torch.arange(height, device=images.device, dtype=images.dtype).view(-1, 1)
    return (columns + x_shift).expand(batch, height, width), (rows + y_shift).expand(batch, height, width)


def sample_at(images: Tensor, x: Tensor, y: Tensor, outside: Literal["border", "reflection"]) -> Tensor:
    """Return the images read at (x, y) by bilinear interpolation.

    Args:
        images: (batch, channels, height, width).
        x: (batch, height, width), in pixels; 0 is the center of the leftmost pixel.
        y: (batch, height, width), in pixels; 0 is the center of the topmost pixel.
        outside: what lies beyond the image: its border repeated, or its reflection about the outermost pixels.
    """
    height, width = images.shape[-2:]
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode=outside, align_corners=True)
