"""Saturate: colors fade (severities 1 and 2) or glare (3 to 5)."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "digital"
# factor and summand of the saturation
SEVERITIES = ((0.3, 0.0), (0.1, 0.0), (1.5, 0.0), (2.0, 0.1), (2.5, 0.2))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images with saturation s' = clamp(a s + b) in hue, saturation, value.

    With v = max(r, g, b) and s = 1 - min(r, g, b) / v, every channel x becomes v - (v - x) s' / s. A gray pixel has
    hue 0 (red): for b above 0 it becomes (v, v (1 - s'), v (1 - s')).
    Images with one channel have no saturation and are returned as they are.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper, in which severity
    orders the two directions separately.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the change is the same for every image.
    """
    factor, summand = at_severity(SEVERITIES, severity)
    if images.shape[1] == 1:
        return images.clamp(0, 1)
    value = images.amax(dim=1, keepdim=True)
    chroma = value - images.amin(dim=1, keepdim=True)
    saturation = chroma / value.masked_fill(value <= 0, 1)
    wanted = (saturation * factor + summand).clamp(0, 1)
    gray = saturation <= 0
    colored = value - (value - images) * (wanted / saturation.masked_fill(gray, 1))
    is_red = images.new_tensor([1, 0, 0]).view(1, 3, 1, 1)
    reddened = value * (1 - wanted * (1 - is_red))
    return torch.where(gray, reddened, colored).clamp(0, 1)
