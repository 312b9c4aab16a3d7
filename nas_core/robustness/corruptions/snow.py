"""Snow: bright streaks, and a whiter scene behind them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nas_core.robustness.color import luminance
from nas_core.robustness.filters import motion_filter
from nas_core.robustness.image_scale import kernel_scale, length_scale
from nas_core.robustness.noise import standard_normal, uniform
from nas_core.robustness.severity import at_severity

FAMILY = "weather"


@dataclass(frozen=True)
class Snowfall:
    """Settings of snow; lengths in pixels of a 32 x 32 image.

    Attributes:
        mean: of the normal field from which the flakes are cut.
        deviation: of that field.
        flake_size: side of a flake.
        threshold: the field below it is empty air.
        streak_radius: half the longest way a flake falls during the exposure.
        streak_sigma: standard deviation of the streak's weights.
        scene_share: share of the scene that is not whitened.
    """

    mean: float
    deviation: float
    flake_size: float
    threshold: float
    streak_radius: float
    streak_sigma: float
    scene_share: float


SEVERITIES = (
    Snowfall(0.1, 0.2, 1.0, 0.6, 8, 3, 0.95),
    Snowfall(0.1, 0.2, 1.0, 0.5, 10, 4, 0.9),
    Snowfall(0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
    Snowfall(0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
    Snowfall(0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return a x + (1 - a) max(x, 1.5 gray(x) + 0.5) + flakes + flakes turned by half a turn.

    Flakes are a thresholded normal field, smeared at -135 to -45 degrees, drawn for each image.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Differs from the paper: positions
    between pixels are interpolated instead of rounded. Above 32 pixels the flakes grow with the image; streaks
    keep their share of the image at any size.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    snowfall = at_severity(SEVERITIES, severity)
    batch, _, height, width = images.shape
    flake_pixels = snowfall.flake_size * kernel_scale(images)
    coarse = (batch, 1, math.ceil(height / flake_pixels), math.ceil(width / flake_pixels))
    field = snowfall.mean + snowfall.deviation * standard_normal(coarse, generator, images)
    field = functional.interpolate(field, size=(height, width), mode="bilinear", align_corners=True)
    flakes = torch.where(field < snowfall.threshold, torch.zeros_like(field), field).clamp(0, 1)
    angle_degrees = uniform((batch,), -135, -45, generator, images)
    flakes = motion_filter(flakes, snowfall.streak_radius, snowfall.streak_sigma, angle_degrees, length_scale(images))
    whitened = torch.maximum(images, luminance(images) * 1.5 + 0.5)
    scene = snowfall.scene_share * images + (1 - snowfall.scene_share) * whitened
    return (scene + flakes + flakes.rot90(2, dims=(2, 3))).clamp(0, 1)
