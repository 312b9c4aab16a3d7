"""Shot noise: light arrives in photons."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "noise"
# photons that make a value of 1
SEVERITIES = (500, 250, 100, 75, 50)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return clamp(k / c), k ~ Poisson(c x) for every value of every channel.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    num_photons = at_severity(SEVERITIES, severity)
    rates = (images * num_photons).to(generator.device)
    return (torch.poisson(rates, generator=generator).to(images) / num_photons).clamp(0, 1)
