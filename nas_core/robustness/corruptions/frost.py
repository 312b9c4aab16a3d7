"""Frost: ice crystals on the lens."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.color import tint
from nas_core.robustness.plasma import plasma_fractal
from nas_core.robustness.severity import at_severity

FAMILY = "weather"
# share of the image, share of the frost
SEVERITIES = ((1.0, 0.2), (1.0, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45))
# a decay at which the fractal is rough down to single pixels
CRYSTAL_DECAY = 1.4


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return a x + b f, f a frost texture drawn for each image.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), shares of CIFAR-10-C. Differs from the paper: the frost there is
    cut from six photographs; here it is generated, bluish white ridges 1 - |2 p - 1| of a rough plasma fractal p.
    Errors under this corruption are therefore not comparable with published ones.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    image_share, frost_share = at_severity(SEVERITIES, severity)
    ridges = 1 - (2 * plasma_fractal(images, CRYSTAL_DECAY, generator) - 1).abs()
    return (image_share * images + frost_share * ridges * tint(images, 0.86, 0.94, 1.0)).clamp(0, 1)
