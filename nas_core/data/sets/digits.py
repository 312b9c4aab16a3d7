"""The digits of scikit-learn: handwritten digits, gray, 8 x 8; they come with the library."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nas_core.data.image_set import ImageData, ImageSet
from nas_core.data.progress import Progress

LARGEST_COUNT = 16


def load(folder: Path | None, *, download: bool = True, progress: Progress | None = None) -> ImageData:
    """Return the 1,797 digits that scikit-learn ships; there is no official test part.

    A pixel counts the black dots, 0 to 16, in a square of 4 x 4 of the 32 x 32 original:
    `pixel = round(count * 255 / 16)`.
    Source: Alpaydin and Kaynak 1998, "Optical recognition of handwritten digits", UCI repository (its test part).

    Args:
        folder: not needed, the images lie in the library.
        download: not needed.
        progress: never called.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.rint(bunch.images * (255 / LARGEST_COUNT)).astype(np.uint8)
    return ImageData(
        name="digits",
        class_names=tuple("0123456789"),
        train=ImageSet(pixels[..., np.newaxis], bunch.target.astype(np.int64)),
        test=None,
        license="CC BY 4.0 (UCI repository); shipped with scikit-learn",
        source="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        citation="E. Alpaydin, C. Kaynak (1998). Optical recognition of handwritten digits. UCI Machine Learning "
        "Repository. doi 10.24432/C50P49.",
    )
