"""The training and the test part of a set of printed characters, which share no family of typefaces."""

from __future__ import annotations

import numpy as np

from nas_core.data.image_set import ImageSet
from nas_core.data.printed_characters import render
from nas_core.data.typefaces import TEST_TYPEFACES, TRAIN_TYPEFACES

LICENSE = "rendered from fonts under free licenses: DejaVu (Bitstream Vera), STIX (SIL OFL 1.1), BaKoMa Computer Modern"
SOURCE = "rendered by nasflow from the fonts that matplotlib ships"
CITATION = "Typefaces: DejaVu Fonts; STIX Fonts; D. E. Knuth, Computer Modern (BaKoMa TrueType by B. Malyshev)."


def render_parts(characters: str, *, num_images_per_face: int, size: int, seed: int) -> tuple[ImageSet, ImageSet]:
    """Return the training and the test part, each with a random stream of its own.

    The split is by family of typefaces, because two cuts of one family differ less than two images of one cut may: with
    a bold face in training and its regular face in the test, the test would measure memory. A validation part wants the
    same care: split the training part by its `groups` (`nas_core.data.splits.group_split`).

    Args:
        characters: one class each.
        num_images_per_face: images of a character in one typeface.
        size: height and width in pixels.
        seed: of the variations; the same seed gives the same images with the same versions of Pillow and matplotlib.
    """
    train_seed, test_seed = np.random.SeedSequence(seed).spawn(2)
    train, test = (
        render(
            characters,
            typefaces,
            num_images_per_face=num_images_per_face,
            size=size,
            generator=np.random.default_rng(part_seed),
        )
        for typefaces, part_seed in ((TRAIN_TYPEFACES, train_seed), (TEST_TYPEFACES, test_seed))
    )
    return train, test
