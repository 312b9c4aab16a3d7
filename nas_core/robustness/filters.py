"""Linear filters over a batch of images: Gaussian and motion."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nas_core.robustness.warping import sample_at, shifted_positions

TRUNCATION_SIGMAS = 4.0


def gaussian_filter(images: Tensor, sigma: float) -> Tensor:
    """Return the images convolved with a sampled Gaussian, edges repeated outward.

    Equals scipy.ndimage.gaussian_filter(mode="nearest", truncate=4) of each channel: the kernel has
    int(4 sigma + 0.5) pixels to each side, so a sigma below 0.125 pixels changes nothing.

    Args:
        images: (batch, channels, height, width).
        sigma: standard deviation in pixels, above 0.
    """
    if int(TRUNCATION_SIGMAS * sigma + 0.5) == 0:
        return images
    rows, columns = (gaussian_matrix(side, sigma).to(images) for side in images.shape[-2:])
    return rows @ images @ columns.T


def gaussian_matrix(num_pixels: int, sigma: float) -> Tensor:
    """Return the (num_pixels, num_pixels) matrix that smooths a line whose end pixels go on beyond it.

    A product with it is several times faster than a convolution at the sizes of images.

    Args:
        num_pixels: length of the line.
        sigma: standard deviation in pixels, above 0.
    """
    radius = int(TRUNCATION_SIGMAS * sigma + 0.5)
    distances = torch.arange(-radius, radius + 1)
    weights = torch.exp(-0.5 * (distances.double() / sigma) ** 2)
    positions = torch.arange(num_pixels).view(-1, 1)
    sources = (positions + distances).clamp(0, num_pixels - 1)
    return torch.zeros(num_pixels, num_pixels, dtype=torch.float64).scatter_add_(
        1, sources, (weights / weights.sum()).expand(num_pixels, -1)
    )


def motion_filter(images: Tensor, radius: float, sigma: float, angle_degrees: Tensor, scale: float) -> Tensor:
    """Return the images smeared along one direction each, with a one-sided Gaussian weight.

    out(p) = sum_i w_i in(p + d_i (cos a, sin a)), w_i proportional to exp(-i^2 / (2 sigma^2)), i = 0, ..., 2 radius:
    the kernel of ImageMagick's motion blur, which the published corruptions use.

    Differs from ImageMagick: positions between pixels are interpolated, not rounded; weights beyond
    4 sigma are left out.

    Args:
        images: (batch, channels, height, width).
        radius: half the length of the kernel in pixels of a 32 x 32 image.
        sigma: standard deviation of the weights in pixels of a 32 x 32 image.
        angle_degrees: (batch,), 0 points right, 90 points down.
        scale: pixels of this image to a pixel of a 32 x 32 image.
    """
    step = min(1.0, scale)
    num_steps = math.floor(min(2 * radius, TRUNCATION_SIGMAS * sigma) * scale / step)
    distances = [number * step for number in range(num_steps + 1)]
    weights = [math.exp(-0.5 * (distance / (sigma * scale)) ** 2) for distance in distances]
    angle = torch.deg2rad(angle_degrees).view(-1, 1, 1)
    smeared = torch.zeros_like(images)
    for distance, weight in zip(distances, weights, strict=True):
        x, y = shifted_positions(images, distance * torch.cos(angle), distance * torch.sin(angle))
        smeared += weight / sum(weights) * sample_at(images, x, y, outside="border")
    return smeared
