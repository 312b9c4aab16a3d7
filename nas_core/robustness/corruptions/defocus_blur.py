"""Defocus blur: the lens spreads every point over a disk."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from nas_core.robustness.image_scale import kernel_scale
from nas_core.robustness.severity import at_severity

FAMILY = "blur"
# radius of the disk, and standard deviation of the softening of its edge, in pixels of a 32 x 32 image
SEVERITIES = ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1.0, 0.2), (1.5, 0.1))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images convolved with a softened disk, mirrored at the edges.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper; above 32 pixels
    the disk grows with the image (`kernel_scale`).

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the blur is the same for every image.
    """
    radius, softening = at_severity(SEVERITIES, severity)
    scale = kernel_scale(images)
    kernel = disk_kernel(radius * scale, softening * scale).to(images)
    margin = kernel.shape[0] // 2
    num_channels = images.shape[1]
    padded = functional.pad(images, (margin, margin, margin, margin), mode="reflect")
    return functional.conv2d(padded, kernel.expand(num_channels, 1, -1, -1), groups=num_channels).clamp(0, 1)


def disk_kernel(radius: float, softening: float) -> Tensor:
    """Return a disk of pixels within `radius` of the center, smoothed by a small Gaussian; its sum is 1.

    Args:
        radius: in pixels; below 1 only the central pixel is within.
        softening: standard deviation in pixels; the Gaussian has 3 x 3 taps, 5 x 5 for a radius above 8.
    """
    reach = 1 if radius <= 8 else 2
    extent = math.floor(radius) + reach
    squares = torch.arange(-extent, extent + 1, dtype=torch.float64) ** 2
    disk = (squares.view(-1, 1) + squares <= radius**2).double()
    taps = torch.exp(-0.5 * torch.arange(-reach, reach + 1, dtype=torch.float64) ** 2 / softening**2)
    taps = taps / taps.sum()
    softened = functional.conv2d((disk / disk.sum())[None, None], torch.outer(taps, taps)[None, None], padding=reach)
    return softened[0, 0]
