"""Speckle noise, stronger where the image is brighter."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.noise import standard_normal
from nas_core.robustness.severity import at_severity

FAMILY = "noise"
# standard deviation of the noise where the value is 1
SEVERITIES = (0.06, 0.10, 0.12, 0.16, 0.20)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return clamp(x + s x n), n ~ N(0, 1) for every value of every channel.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    deviation = at_severity(SEVERITIES, severity)
    return (images + deviation * images * standard_normal(images.shape, generator, images)).clamp(0, 1)
