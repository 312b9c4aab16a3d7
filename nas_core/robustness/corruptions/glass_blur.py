"""Glass blur, as through frosted glass: pixels are mixed up with near ones."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.filters import gaussian_filter
from nas_core.robustness.image_scale import kernel_scale, length_scale
from nas_core.robustness.noise import uniform, whole_numbers
from nas_core.robustness.severity import at_severity

FAMILY = "blur"
# standard deviation of the Gaussian and largest displacement, in pixels of a 32 x 32 image; passes over the image
SEVERITIES = ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2))


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images blurred, with pixels displaced at random, and blurred again.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the published images: in the
    code that made them the swap of two pixels assigns views of one array, so that a pixel takes its neighbor's
    value and the neighbor keeps its own. Differs from that code above 32 pixels, where the displacement grows with
    the image: every pixel reads the image before the pass. Below 32 pixels only a share side / 32 of the pixels
    is displaced, so that the mean displacement keeps its share of the image.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: source of randomness.
    """
    deviation, displacement, num_passes = at_severity(SEVERITIES, severity)
    sigma = deviation * kernel_scale(images)
    largest_offset = max(1, round(displacement * length_scale(images)))
    mixed = gaussian_filter(images, sigma)
    for _ in range(num_passes):
        mixed = displaced(mixed, largest_offset, length_scale(images), generator)
    return gaussian_filter(mixed, sigma).clamp(0, 1)


def displaced(images: Tensor, largest_offset: int, share: float, generator: torch.Generator) -> Tensor:
    """Return the images with pixels replaced by those at offsets drawn from -d, ..., d - 1 in both directions.

    The d + 1 topmost rows and leftmost columns, and the d - 1 last ones, are left alone, as published.

    Args:
        images: (batch, channels, height, width).
        largest_offset: d, in pixels.
        share: fraction of the pixels that are replaced; 1 and above is all of them.
        generator: source of randomness.
    """
    batch, num_channels, height, width = images.shape
    rows = torch.arange(height, device=images.device).view(-1, 1)
    columns = torch.arange(width, device=images.device)
    moves_rows = (rows > largest_offset) & (rows <= height - largest_offset)
    moves_columns = (columns > largest_offset) & (columns <= width - largest_offset)
    chosen = uniform((batch, height, width), 0, 1, generator, images) < share
    offsets = whole_numbers((2, batch, height, width), -largest_offset, largest_offset, generator, images)
    shift = (offsets[0] * width + offsets[1]) * (chosen & moves_rows & moves_columns)
    source = (rows * width + columns + shift).flatten(1)[:, None].expand(-1, num_channels, -1)
    return images.flatten(2).gather(2, source).view_as(images)
