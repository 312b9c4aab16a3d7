"""Printed capital letters, gray: new classes in the format of the digits, rendered from matplotlib's typefaces."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Annotated

from annotated_types import Ge

from nas_core.data import printed_parts
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress

LETTERS_UNLIKE_DIGITS = "ACEFHJKMNPRTUVWXY"
"""The capitals that no digit resembles at 8 x 8 (left out: B 8, D O Q 0, G 6, I L 1, S 5, Z 2).

For a test of whether a classifier of digits notices strange inputs: an O that passes for a zero is no mistake of it."""


def load(
    folder: Path | None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    letters: str = string.ascii_uppercase,
    num_images_per_face: Annotated[int, Ge(1)] = 10,
    size: Annotated[int, Ge(1)] = 8,
    seed: Annotated[int, Ge(0)] = 0,
) -> ImageData:
    """Return capital letters in 16 typefaces to train on and 5 of other families to test on.

    Capitals only: in a frame that they fill, c and C, o and O, s and S and several more pairs are the same picture, so
    that small letters could not be told apart as classes of their own; in the classes of the capitals, a and A or g and
    G would be two shapes under one label.

    Args:
        folder: not needed, the typefaces lie in matplotlib.
        download: not needed.
        progress: never called.
        letters: the capitals that become classes, in the order of the labels, such as `LETTERS_UNLIKE_DIGITS`.
        num_images_per_face: images of a letter in one typeface.
        size: height and width in pixels.
        seed: of the small shifts, rotations, shears, scales and thicknesses.

    Raises:
        ValueError: `letters` has something else than different capital letters, or fewer than two.
    """
    if len(letters) < 2 or len(set(letters)) < len(letters) or set(letters) - set(string.ascii_uppercase):
        raise ValueError(f"letters is {letters!r}; give two or more different letters out of A to Z")
    train, test = printed_parts.render_parts(letters, num_images_per_face=num_images_per_face, size=size, seed=seed)
    return ImageData(
        name="printed_letters",
        class_names=tuple(letters),
        train=train,
        test=test,
        license=printed_parts.LICENSE,
        source=printed_parts.SOURCE,
        citation=printed_parts.CITATION,
    )
