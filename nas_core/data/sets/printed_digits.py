"""Printed digits, gray: the classes of handwritten digits in another style, rendered from matplotlib's typefaces."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from nas_core.data import printed_parts
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress


def load(
    folder: Path | None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    num_images_per_face: Annotated[int, Ge(1)] = 10,
    size: Annotated[int, Ge(1)] = 8,
    seed: Annotated[int, Ge(0)] = 0,
) -> ImageData:
    """Return the ten digits in 16 typefaces to train on and 5 of other families to test on.

    Args:
        folder: not needed, the typefaces lie in matplotlib.
        download: not needed.
        progress: never called.
        num_images_per_face: images of a digit in one typeface.
        size: height and width in pixels.
        seed: of the small shifts, rotations, shears, scales and thicknesses.
    """
    train, test = printed_parts.render_parts(
        string.digits, num_images_per_face=num_images_per_face, size=size, seed=seed
    )
    return ImageData(
        name="printed_digits",
        class_names=tuple(string.digits),
        train=train,
        test=test,
        license=printed_parts.LICENSE,
        source=printed_parts.SOURCE,
        citation=printed_parts.CITATION,
    )
