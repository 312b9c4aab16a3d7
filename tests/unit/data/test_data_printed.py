"""Printed characters: the right ones, legible, varied, and no typeface on both sides of a split."""

from __future__ import annotations

import dataclasses
import string

import numpy as np
import pytest

from nas_core.data.image_set import ImageData, ImageSet
from nas_core.data.printed_characters import Variation, render
from nas_core.data.sets import digits, printed_digits, printed_letters
from nas_core.data.typefaces import TEST_TYPEFACES, TRAIN_TYPEFACES, Typeface

STILL = Variation(shift=0, rotation_degrees=0, shear=0, shrinkage=0, thickness=0)
PLAIN = Typeface("DejaVuSans.ttf", "dejavu_sans")


@pytest.fixture(scope="module")
def printed() -> ImageData:
    return printed_digits.load(None)


@pytest.fixture(scope="module")
def letters() -> ImageData:
    return printed_letters.load(None, num_images_per_face=4)


def nearest_centroid_accuracy(train: ImageSet, test: ImageSet) -> float:
    def rows(part: ImageSet) -> np.ndarray:
        return part.images.reshape(len(part), -1) / 255

    centroids = np.stack([rows(train)[train.labels == label].mean(axis=0) for label in np.unique(train.labels)])
    distances = ((rows(test)[:, None] - centroids) ** 2).sum(axis=2)
    return float((distances.argmin(axis=1) == test.labels).mean())


def test_every_class_has_the_same_number_of_images(printed: ImageData) -> None:
    assert printed.test is not None
    assert np.bincount(printed.train.labels).tolist() == [10 * len(TRAIN_TYPEFACES)] * 10
    assert np.bincount(printed.test.labels).tolist() == [10 * len(TEST_TYPEFACES)] * 10
    assert printed.train.image_shape == (8, 8, 1)


def test_no_family_is_in_both_parts(printed: ImageData) -> None:
    assert printed.test is not None
    assert printed.train.groups is not None
    assert printed.test.groups is not None
    assert not set(printed.train.groups) & set(printed.test.groups)
    assert len(set(printed.train.groups)) >= 3


def test_no_file_is_listed_twice() -> None:
    names = [typeface.file_name for typeface in TRAIN_TYPEFACES + TEST_TYPEFACES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("typeface", TRAIN_TYPEFACES + TEST_TYPEFACES, ids=lambda typeface: typeface.file_name)
def test_every_typeface_has_a_glyph_of_its_own_for_every_character(typeface: Typeface) -> None:
    from matplotlib.ft2font import FT2Font

    font = FT2Font(str(typeface.path()))
    characters = string.digits + string.ascii_uppercase
    assert len({font.get_char_index(ord(character)) for character in characters} - {0}) == len(characters)


def test_labels_are_those_of_the_characters(printed: ImageData, letters: ImageData) -> None:
    assert printed.test is not None
    assert letters.test is not None
    assert nearest_centroid_accuracy(printed.train, printed.test) > 0.9
    assert nearest_centroid_accuracy(letters.train, letters.test) > 0.8


def test_printed_digits_go_with_the_handwritten_ones(printed: ImageData) -> None:
    handwritten = digits.load(None).train
    assert nearest_centroid_accuracy(handwritten, printed.train) > 0.4
    assert abs(float(printed.train.images.mean()) - float(handwritten.images.mean())) < 15


def test_a_character_is_light_on_dark_centered_and_fills_the_frame() -> None:
    image = render("H", [PLAIN], num_images_per_face=1, size=8, generator=np.random.default_rng(0), variation=STILL)
    pixels = image.images[0, :, :, 0].astype(int)
    assert pixels[0].max() > 100
    assert pixels[-1].max() > 100
    assert np.abs(pixels - pixels[:, ::-1]).max() <= 30
    assert pixels[:, 3:5][[0, 1, 6, 7]].max() < 30


def test_thickness_makes_strokes_heavier_and_size_is_free() -> None:
    def mean(thickness: float) -> float:
        variation = dataclasses.replace(STILL, thickness=thickness)
        generator = np.random.default_rng(0)
        return float(
            render("8", [PLAIN], num_images_per_face=8, size=12, generator=generator, variation=variation).images.mean()
        )

    assert mean(0.1) > mean(0.0) + 10


def test_the_same_seed_gives_the_same_images_and_another_gives_others(printed: ImageData) -> None:
    again, other = printed_digits.load(None), printed_digits.load(None, seed=1)
    assert np.array_equal(printed.train.images, again.train.images)
    assert not np.array_equal(printed.train.images, other.train.images)


def test_images_of_one_glyph_differ(printed: ImageData) -> None:
    first_ten = printed.train.images[:10].reshape(10, -1)
    assert len(np.unique(first_ten, axis=0)) == 10


def test_letters_may_be_chosen() -> None:
    chosen = printed_letters.load(None, letters="XAQ", num_images_per_face=1)
    assert chosen.class_names == ("X", "A", "Q")
    assert set(printed_letters.LETTERS_UNLIKE_DIGITS) < set(string.ascii_uppercase)
    for wrong in ("A", "AA", "ab", "A1"):
        with pytest.raises(ValueError, match="two or more different letters"):
            printed_letters.load(None, letters=wrong)


def test_impossible_requests_are_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(ValueError, match="make no image"):
        render("", [PLAIN], num_images_per_face=1, size=8, generator=generator)
    with pytest.raises(ValueError, match="make no image"):
        render("A", [PLAIN], num_images_per_face=0, size=8, generator=generator)
    with pytest.raises(FileNotFoundError, match=r"Nowhere\.ttf is absent"):
        render("A", [Typeface("Nowhere.ttf", "none")], num_images_per_face=1, size=8, generator=generator)
    with pytest.raises(ValueError, match="out of range"):
        Variation(shrinkage=0.9)
