"""Fog: a cloud of uneven thickness in front of the scene."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.plasma import plasma_fractal
from nas_core.robustness.severity import at_severity

FAMILY = "weather"
# thickness, and decay of the plasma fractal
SEVERITIES = ((0.2, 3.0), (0.5, 3.0), (0.75, 2.5), (1.0, 2.0), (1.5, 1.75))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return (x + c f) m / (m + c), f a plasma fractal drawn for each image, m the image's largest value.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper; the fractal's map
    is the smallest power of two that holds the image.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    thickness, decay = at_severity(SEVERITIES, severity)
    largest = images.amax(dim=(1, 2, 3), keepdim=True)
    foggy = images + thickness * plasma_fractal(images, decay, generator)
    return (foggy * largest / (largest + thickness)).clamp(0, 1)
