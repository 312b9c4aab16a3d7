"""Bring images into the format of another set, so that a network for the one takes the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nas_core.data.image_set import ImageSet

CHUNK_EXAMPLES = 1024
LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in gray (ITU-R BT.601)."""


def like(image_set: ImageSet, shape: tuple[int, int, int]) -> ImageSet:
    """Return the images in another `(height, width, channels)`, with the same labels and groups.

    A side that shrinks is averaged over areas: `out[i]` is the mean of the input over `[i*n/m, (i+1)*n/m)`, parts of
    pixels by their share. A side that grows is interpolated linearly between the centers of pixels, the outermost
    values held beyond them. Gray becomes three equal channels, color becomes gray by `LUMA`. A set of this shape is
    returned as it is.

    Args:
        image_set: 1 or 3 channels.
        shape: the wanted height, width and channels (1 or 3).

    Raises:
        ValueError: a side below 1, or other channels where they would have to change.
    """
    height, width, channels = shape
    from_height, from_width, from_channels = image_set.image_shape
    if min(shape) < 1 or (channels != from_channels and {channels, from_channels} != {1, 3}):
        raise ValueError(
            f"images of {image_set.image_shape} cannot become {shape}; give sides of at least 1, and 1 or 3 channels"
        )
    if shape == image_set.image_shape:
        return image_set
    rows, columns = _weights(from_height, height), _weights(from_width, width)
    resized = np.empty((len(image_set), height, width, channels), dtype=np.uint8)
    for start in range(0, len(image_set), CHUNK_EXAMPLES):
        chunk = image_set.images[start : start + CHUNK_EXAMPLES].astype(np.float64)
        if channels < from_channels:
            chunk = (chunk @ np.array(LUMA))[..., np.newaxis]
        chunk = np.einsum("ih,nhwc->niwc", rows, chunk)
        chunk = np.einsum("jw,niwc->nijc", columns, chunk)
        resized[start : start + CHUNK_EXAMPLES] = np.rint(np.clip(chunk, 0, 255))
    return ImageSet(resized, image_set.labels, image_set.groups)


def _weights(num_from: int, num_to: int) -> NDArray[np.float64]:
    """Return the matrix `(num_to, num_from)` that resizes one side; its rows add up to 1."""
    weights: NDArray[np.float64]
    if num_to < num_from:
        edges = np.arange(num_to + 1) * (num_from / num_to)
        pixels = np.arange(num_from)
        shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        weights = np.maximum(shared, 0.0) * (num_to / num_from)
        return weights
    centers = np.clip((np.arange(num_to) + 0.5) * (num_from / num_to) - 0.5, 0, num_from - 1)
    weights = np.maximum(1.0 - np.abs(centers[:, None] - np.arange(num_from)), 0.0)
    return weights
