"""Impulse noise, the color version of salt and pepper, as from bit errors."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.noise import uniform
from nas_core.robustness.severity import at_severity

FAMILY = "noise"
# fraction of the values that are replaced
SEVERITIES = (0.01, 0.02, 0.03, 0.05, 0.07)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images with a fraction of their values set to 0 or 1, each half of the time.

    Channels are hit independently of each other.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    fraction = at_severity(SEVERITIES, severity)
    draws = uniform(images.shape, 0, 1, generator, images)
    peppered = torch.where(draws < fraction / 2, torch.zeros_like(images), images)
    return torch.where(draws >= 1 - fraction / 2, torch.ones_like(images), peppered).clamp(0, 1)
