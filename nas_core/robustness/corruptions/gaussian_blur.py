"""Gaussian blur."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.filters import gaussian_filter
from nas_core.robustness.image_scale import kernel_scale
from nas_core.robustness.severity import at_severity

FAMILY = "blur"
# standard deviation in pixels of a 32 x 32 image
SEVERITIES = (0.4, 0.6, 0.7, 0.8, 1.0)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images convolved with a Gaussian.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper; above 32 pixels
    the standard deviation grows with the image (`kernel_scale`).

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the blur is the same for every image.
    """
    sigma = at_severity(SEVERITIES, severity) * kernel_scale(images)
    return gaussian_filter(images, sigma).clamp(0, 1)
