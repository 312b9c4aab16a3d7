"""Plasma fractals, the cloud-like maps behind fog and frost."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.noise import uniform


def plasma_fractal(images: Tensor, decay: float, generator: torch.Generator) -> Tensor:
    """Return one random height map an image, (batch, 1, height, width), each map scaled to 0..1.

    Diamond-square algorithm on a torus: each level halves the step, sets new points to the mean of their four
    neighbors plus U(-spread, spread), and divides the spread by decay^2. Larger decay gives smoother maps.

    Follows the code published with Hendrycks and Dietterich (2019, arXiv:1903.12261), for a batch at once.

    Args:
        images: (batch, channels, height, width), gives shape, device and dtype.
        decay: above 0; the published fogs use 1.75 to 3.
        generator: source of randomness.
    """
    batch, _, height, width = images.shape
    size = 2 ** max(1, (max(height, width) - 1).bit_length())
    heights = images.new_zeros(batch, size, size)
    step, spread = size, 1.0

    def wobbled(neighbor_sum: Tensor) -> Tensor:
        return neighbor_sum / 4 + uniform(neighbor_sum.shape, -spread, spread, generator, images)

    while step >= 2:
        half = step // 2
        corners = heights[:, ::step, ::step]
        across = corners + corners.roll(-1, dims=2)
        down = corners + corners.roll(-1, dims=1)
        centers = wobbled(across + across.roll(-1, dims=1))
        heights[:, half::step, half::step] = centers
        heights[:, ::step, half::step] = wobbled(across + centers + centers.roll(1, dims=1))
        heights[:, half::step, ::step] = wobbled(down + centers + centers.roll(1, dims=2))
        step, spread = half, spread / decay**2
    heights = heights - heights.amin(dim=(1, 2), keepdim=True)
    heights = heights / heights.amax(dim=(1, 2), keepdim=True).clamp_min(torch.finfo(images.dtype).tiny)
    return heights[:, None, :height, :width]
