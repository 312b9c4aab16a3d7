"""Brightness: more daylight."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "weather"
# what is added to the value of hue, saturation, value
SEVERITIES = (0.05, 0.10, 0.15, 0.20, 0.30)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images with c added to their value in hue, saturation, value; to their gray level if gray.

    With v = max(r, g, b) and v' = min(v + c, 1), hue and saturation stay when every channel is multiplied by v' / v;
    a black pixel becomes gray, v'.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the change is the same for every image.
    """
    value = images.amax(dim=1, keepdim=True)
    brighter = (value + at_severity(SEVERITIES, severity)).clamp(0, 1)
    black = value <= 0
    scaled = images * (brighter / value.masked_fill(black, 1))
    return torch.where(black, brighter, scaled).clamp(0, 1)
