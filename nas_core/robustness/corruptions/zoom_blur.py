"""Zoom blur: the camera moves toward the scene during the exposure."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "blur"
# largest magnification, in percent above the plain image; magnifications rise by 1 percent
SEVERITIES = (6, 11, 15, 20, 25)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the mean of the image and its magnifications by 1.00, 1.01, ..., 1 + c / 100 about the center.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Differs from the paper: the crop that
    is magnified need not be a whole number of pixels, so small magnifications are not rounded away.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the blur is the same for every image.
    """
    percent = at_severity(SEVERITIES, severity)
    height, width = images.shape[-2:]
    total = images.clone()
    for extra in range(percent + 1):
        rows = magnification(height, 1 + extra / 100).to(images)
        columns = magnification(width, 1 + extra / 100).to(images)
        total += rows @ images @ columns.T
    return (total / (percent + 2)).clamp(0, 1)


def magnification(num_pixels: int, zoom: float) -> Tensor:
    """Return the (num_pixels, num_pixels) matrix that magnifies a line about its middle by linear interpolation.

    Args:
        num_pixels: length of the line, 2 or more.
        zoom: 1 or more.
    """
    middle = (num_pixels - 1) / 2
    positions = middle + (torch.arange(num_pixels, dtype=torch.float64) - middle) / zoom
    distances = (positions.view(-1, 1) - torch.arange(num_pixels, dtype=torch.float64)).abs()
    return (1 - distances).clamp_min(0)
