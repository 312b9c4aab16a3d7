"""Elastic transform: the image is skewed a little as a whole and stretched locally."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from nas_core.robustness.filters import gaussian_filter
from nas_core.robustness.image_scale import REFERENCE_SIDE
from nas_core.robustness.noise import uniform
from nas_core.robustness.severity import at_severity
from nas_core.robustness.warping import sample_at, shifted_positions

FAMILY = "digital"
# strength and smoothness of the displacement, and largest shift of a corner, as shares of the side
SEVERITIES = ((0.0, 0.0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images under a random affine map and a random smooth displacement, drawn for each image.

    The affine map moves three points around the center by U(-c, c) each; the displacement is Gaussian-smoothed
    U(-1, 1) noise times its strength. Both mirror the image at its edges.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper, in which the affine
    part shrinks as the displacement grows, so that severity does not order the distance to the clean image.
    The displacement is drawn on 32 x 32 points and interpolated to the image, lengths in proportion.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    strength, smoothness, corner_shift = at_severity(SEVERITIES, severity)
    side = min(images.shape[-2:])
    warped = randomly_skewed(images, corner_shift * side, generator)
    if strength == 0:
        return warped.clamp(0, 1)
    noise = uniform((images.shape[0], 2, REFERENCE_SIDE, REFERENCE_SIDE), -1, 1, generator, images)
    smooth = gaussian_filter(noise, smoothness * REFERENCE_SIDE)
    shift = functional.interpolate(smooth, size=images.shape[-2:], mode="bilinear", align_corners=True)
    x, y = shifted_positions(images, strength * side * shift[:, 0], strength * side * shift[:, 1])
    return sample_at(warped, x, y, outside="reflection").clamp(0, 1)


def randomly_skewed(images: Tensor, largest_shift: float, generator: torch.Generator) -> Tensor:
    """Return the images under affine maps that move three points around the center by up to `largest_shift` pixels."""
    batch, _, height, width = images.shape
    reach = min(height, width) // 3
    center = images.new_tensor([width // 2, height // 2])
    points = center + reach * images.new_tensor([[1, 1], [1, -1], [-1, -1]])
    moved = points + uniform((batch, 3, 2), -largest_shift, largest_shift, generator, images)
    # the map from the new image back to the old one takes the moved points to the points
    coefficients = torch.linalg.solve(functional.pad(moved, (0, 1), value=1.0), points.expand(batch, 3, 2))
    columns, rows = torch.meshgrid(torch.arange(width), torch.arange(height), indexing="xy")
    pixels = torch.stack([columns, rows, torch.ones_like(rows)], dim=-1).view(-1, 3).to(images)
    x, y = (pixels @ coefficients).unbind(dim=-1)
    return sample_at(images, x.view(batch, height, width), y.view(batch, height, width), outside="reflection")
