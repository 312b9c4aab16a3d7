"""Contrast: less of it, as in dim light."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "digital"
# share of the contrast that is left
SEVERITIES = (0.75, 0.5, 0.4, 0.3, 0.15)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return (x - m) c + m, m the mean of each channel of each image.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the change is the same for every image.
    """
    means = images.mean(dim=(2, 3), keepdim=True)
    return ((images - means) * at_severity(SEVERITIES, severity) + means).clamp(0, 1)
