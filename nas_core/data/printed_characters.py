"""Render printed characters as small gray images in the style of scanned handwritten digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nas_core.data.image_set import ImageSet
from nas_core.data.typefaces import Typeface

if TYPE_CHECKING:
    from PIL import Image, ImageFont

OVERSAMPLING = 8
GLYPH_PIXELS = 96


@dataclass(frozen=True)
class Variation:
    """How far one image of a character may differ from another; each amount is drawn uniformly from -it to +it.

    Attributes:
        shift: of the center, as a fraction of the image's side.
        rotation_degrees: about the center.
        shear: horizontal shift for each unit of height.
        shrinkage: how much smaller than the frame, drawn from 0 to it, width and height apart.
        thickness: growth of a stroke on each side, drawn from 0 to it, as a fraction of the character's height.
    """

    shift: float = 0.03
    rotation_degrees: float = 8.0
    shear: float = 0.12
    shrinkage: float = 0.15
    thickness: float = 0.04

    def __post_init__(self) -> None:
        amounts = (self.shift, self.rotation_degrees, self.shear, self.shrinkage, self.thickness)
        if min(amounts) < 0 or self.rotation_degrees > 45 or max(self.shift, self.shrinkage, self.thickness) > 0.3:
            raise ValueError(f"{self} is out of range; give amounts from 0 to 0.3, and 0 to 45 degrees")


def render(
    characters: Sequence[str],
    typefaces: Sequence[Typeface],
    *,
    num_images_per_face: int,
    size: int,
    generator: np.random.Generator,
    variation: Variation | None = None,
) -> ImageSet:
    """Return images of each character in each typeface, light on dark, centered and filling the frame.

    A character is drawn large, cut to its outline's box, thickened, and brought by one affine map (scale, shear,
    rotation, shift) into a frame of `size * 8` pixels, which the mean over 8 x 8 squares reduces to `size`: an
    intensity is the covered share of a pixel, as in the digits of scikit-learn. Narrow characters (I, 1) keep
    their proportions.

    Args:
        characters: one class each, in the order of the labels.
        typefaces: the faces; all must have the characters.
        num_images_per_face: how many images of a character in one face.
        size: height and width of an image, in pixels.
        generator: draws the variations.
        variation: how far images differ.

    Returns:
        `len(characters) * len(typefaces) * num_images_per_face` images, `(size, size, 1)`; groups are the families.

    Raises:
        ValueError: no character, no typeface, or a count below 1.
        FileNotFoundError: a typeface is absent.
    """
    if not characters or not typefaces or num_images_per_face < 1 or size < 1:
        raise ValueError(
            f"{len(characters)} characters, {len(typefaces)} typefaces, num_images_per_face {num_images_per_face} and "
            f"size {size} make no image; give at least 1 of each"
        )
    variation = variation or Variation()
    images, labels, groups = [], [], []
    for typeface in typefaces:
        font = _open_font(typeface)
        for label, character in enumerate(characters):
            strokes = _thicken(_draw(font, character), variation.thickness)
            for _ in range(num_images_per_face):
                images.append(_vary(strokes, size, variation, generator))
                labels.append(label)
                groups.append(typeface.family)
    return ImageSet(np.stack(images)[..., np.newaxis], np.array(labels, dtype=np.int64), tuple(groups))


def _open_font(typeface: Typeface) -> ImageFont.FreeTypeFont:
    """Return the face at the size at which characters are drawn."""
    from PIL import ImageFont

    return ImageFont.truetype(str(typeface.path()), GLYPH_PIXELS, layout_engine=ImageFont.Layout.BASIC)


def _draw(font: ImageFont.FreeTypeFont, character: str) -> Image.Image:
    """Return the character large, white on black, cut to its box."""
    from PIL import Image, ImageDraw

    side = 3 * GLYPH_PIXELS
    canvas = Image.new("L", (side, side), 0)
    ImageDraw.Draw(canvas).text((side // 3, side // 3), character, fill=255, font=font)
    left, top, right, bottom = canvas.getbbox() or (0, 0, side, side)
    return canvas.crop((left, top, right, bottom))


def _thicken(glyph: Image.Image, thickness: float) -> list[Image.Image]:
    """Return the `glyph` with strokes grown by 0, 1, 2, ... pixels on each side, up to `thickness` of its height."""
    from PIL import ImageFilter, ImageOps

    strokes = [glyph]
    for _ in range(round(thickness * glyph.height)):
        strokes.append(ImageOps.expand(strokes[-1], 1).filter(ImageFilter.MaxFilter(3)))
    return strokes


def _vary(
    strokes: Sequence[Image.Image], size: int, variation: Variation, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Return one image `(size, size)` of the glyph in one of its `strokes`, its variation drawn from the generator."""
    from PIL import Image

    shift_x, shift_y, rotation, shear = generator.uniform(-1, 1, size=4) * (
        variation.shift,
        variation.shift,
        radians(variation.rotation_degrees),
        variation.shear,
    )
    shrink_x, shrink_y = generator.uniform(0, variation.shrinkage, size=2)
    glyph = strokes[int(generator.integers(len(strokes)))]
    side = size * OVERSAMPLING
    scale = side / max(glyph.size)
    forward = (
        np.array([[cos(rotation), -sin(rotation)], [sin(rotation), cos(rotation)]])
        @ np.array([[1.0, shear], [0.0, 1.0]])
        @ np.diag([scale * (1 - shrink_x), scale * (1 - shrink_y)])
    )
    center = np.array([side * (0.5 + shift_x), side * (0.5 + shift_y)])
    inverse = np.linalg.inv(forward)
    offset = np.array([glyph.width / 2, glyph.height / 2]) - inverse @ center
    coefficients = (*inverse[0].tolist(), float(offset[0]), *inverse[1].tolist(), float(offset[1]))
    frame = glyph.transform((side, side), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    squares = np.asarray(frame, dtype=np.float64).reshape(size, OVERSAMPLING, size, OVERSAMPLING)
    image: NDArray[np.uint8] = np.rint(squares.mean(axis=(1, 3))).astype(np.uint8)
    return image
