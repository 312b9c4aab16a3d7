"""How lengths in pixels, published for 32 x 32 images, carry over to other image sizes."""

from __future__ import annotations

from torch import Tensor

REFERENCE_SIDE = 32


def length_scale(images: Tensor) -> float:
    """Return min(height, width) / 32, the factor for lengths that a corruption resolves below one pixel.

    Streaks, zooms and displacements are interpolated, so a quarter of a pixel still has an effect and the
    length keeps its share of the image at any size.

    Args:
        images: (batch, channels, height, width).
    """
    return min(images.shape[-2], images.shape[-1]) / REFERENCE_SIDE


def kernel_scale(images: Tensor) -> float:
    """Return max(1, length_scale), the factor for lengths that are sampled at whole pixels.

    A Gaussian or disk kernel, a flake or a drop shorter than a pixel leaves the image as it is, so below 32
    pixels the published lengths are kept in pixels; above, they keep their share of the image.

    Args:
        images: (batch, channels, height, width).
    """
    return max(1.0, length_scale(images))
