"""Spatter: drops of water (severities 1 to 3) or mud (4 and 5) on the lens."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from nas_core.robustness.color import tint
from nas_core.robustness.filters import gaussian_filter
from nas_core.robustness.image_scale import kernel_scale
from nas_core.robustness.noise import standard_normal
from nas_core.robustness.severity import at_severity

FAMILY = "weather"
# red, green, blue
WATER_COLOR = (175 / 255, 238 / 255, 238 / 255)
MUD_COLOR = (63 / 255, 42 / 255, 20 / 255)
# a thinner film of mud lets all light through
MUD_CUTOFF = 0.8
RELIEF_KERNEL = ((-2.0, -1.0, 0.0), (-1.0, 1.0, 1.0), (0.0, 1.0, 2.0))


@dataclass(frozen=True)
class Liquid:
    """Where liquid sits on the lens: a smoothed normal field above a threshold.

    Attributes:
        mean: of the field.
        deviation: of the field before it is smoothed.
        sigma: of the smoothing, in pixels of a 32 x 32 image.
        threshold: there is liquid where the field is not below it.
    """

    mean: float
    deviation: float
    sigma: float
    threshold: float


@dataclass(frozen=True)
class Water:
    """Water on the lens; `intensity` is what the brightest drop adds."""

    liquid: Liquid
    intensity: float


@dataclass(frozen=True)
class Mud:
    """Mud on the lens; `edge_sigma` softens its edges, in pixels of a 32 x 32 image."""

    liquid: Liquid
    edge_sigma: float


SEVERITIES: tuple[Water | Mud, ...] = (
    Water(Liquid(0.62, 0.1, 0.7, 0.7), 0.5),
    Water(Liquid(0.65, 0.1, 0.8, 0.7), 0.5),
    Water(Liquid(0.65, 0.3, 1.0, 0.69), 0.5),
    Mud(Liquid(0.65, 0.1, 0.7, 0.69), 0.6),
    Mud(Liquid(0.65, 0.1, 0.5, 0.68), 0.6),
)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images under pale turquoise drops of water or brown mud, drawn for each image.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Differs from the paper: water is shaded
    by the published relief kernel on the outline of the drops, without the edge detector, the distance
    transform and the histogram equalization before it. Above 32 pixels drops grow with the image.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    spatter = at_severity(SEVERITIES, severity)
    field = liquid_field(images, spatter.liquid, generator)
    wet = (field >= spatter.liquid.threshold).to(images.dtype)
    if isinstance(spatter, Water):
        return (images + spatter.intensity * water_shading(field, wet) * tint(images, *WATER_COLOR)).clamp(0, 1)
    mud = gaussian_filter(wet, spatter.edge_sigma * kernel_scale(images))
    mud = torch.where(mud < MUD_CUTOFF, torch.zeros_like(mud), mud)
    return (images * (1 - mud) + tint(images, *MUD_COLOR) * mud).clamp(0, 1)


def liquid_field(images: Tensor, liquid: Liquid, generator: torch.Generator) -> Tensor:
    """Return the smoothed normal field, (batch, 1, height, width), drawn coarser and enlarged above 32 pixels."""
    batch, _, height, width = images.shape
    scale = kernel_scale(images)
    coarse = (batch, 1, round(height / scale), round(width / scale))
    field = gaussian_filter(liquid.mean + liquid.deviation * standard_normal(coarse, generator, images), liquid.sigma)
    return functional.interpolate(field, size=(height, width), mode="bilinear", align_corners=True)


def water_shading(field: Tensor, wet: Tensor) -> Tensor:
    """Return how bright each pixel of the drops is, its largest value in each image 1 (0 in an image without drops)."""
    kernel = field.new_tensor(RELIEF_KERNEL)[None, None]
    outline = functional.avg_pool2d(functional.pad(wet, (2, 2, 2, 2), mode="replicate"), 3, stride=1)
    relief = functional.conv2d(outline, kernel).clamp_min(0)
    relief = functional.avg_pool2d(functional.pad(relief, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    shading = field * wet * relief
    largest = shading.amax(dim=(2, 3), keepdim=True)
    return shading / largest.clamp_min(torch.finfo(field.dtype).tiny)
