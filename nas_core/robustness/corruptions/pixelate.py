"""Pixelate: the image is shrunk and enlarged again, so that blocks show."""

from __future__ import annotations

import torch
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "digital"
# side of the shrunken image as a share of the side
SEVERITIES = (0.95, 0.9, 0.85, 0.75, 0.65)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images shrunk to int(c side) pixels by box averages and enlarged again by repetition.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper, whose box filter is
    Pillow's. On small images neighboring severities can shrink to the same size.

    Args:
        images: (batch, channels, height, width) in 0..1.
        severity: 1 to 5.
        generator: not drawn from; the change is the same for every image.
    """
    share = at_severity(SEVERITIES, severity)
    rows, columns = (shrink_and_enlarge(side, share).to(images) for side in images.shape[-2:])
    return (rows @ images @ columns.T).clamp(0, 1)


def shrink_and_enlarge(side: int, share: float) -> Tensor:
    """Return the (side, side) matrix that takes a line of pixels to int(share side) pixels and back."""
    shrunken_side = max(1, int(side * share))
    return box_resampling(shrunken_side, side) @ box_resampling(side, shrunken_side)


def box_resampling(num_in: int, num_out: int) -> Tensor:
    """Return the (num_out, num_in) matrix of Pillow's BOX filter: means of the pixels whose centers fall in a box."""
    ratio = num_in / num_out
    middles = (torch.arange(num_out, dtype=torch.float64) + 0.5) * ratio
    centers = torch.arange(num_in, dtype=torch.float64) + 0.5
    distances = (centers - middles.view(-1, 1)) / max(ratio, 1.0)
    is_inside = ((distances > -0.5) & (distances <= 0.5)).double()
    return is_inside / is_inside.sum(dim=1, keepdim=True)
