"""Motion blur: the camera moves during the exposure."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.filters import motion_filter
from nas_core.robustness.image_scale import length_scale
from nas_core.robustness.noise import uniform
from nas_core.robustness.severity import at_severity

FAMILY = "blur"
# half the length of the streak, and standard deviation of its weights, in pixels of a 32 x 32 image
SEVERITIES = ((6, 1.0), (6, 1.5), (6, 2.0), (8, 2.0), (9, 2.5))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images smeared in a direction between -45 and 45 degrees, drawn for each image.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C, lengths in proportion to the image
    (`length_scale`). Differs from the paper: positions between pixels are interpolated instead of rounded.
    Severities 3 and 4 differ only in weights beyond 6 standard deviations, and so are alike.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    radius, sigma = at_severity(SEVERITIES, severity)
    angle_degrees = uniform((images.shape[0],), -45, 45, generator, images)
    return motion_filter(images, radius, sigma, angle_degrees, length_scale(images)).clamp(0, 1)
