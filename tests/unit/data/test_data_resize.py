"""Resizing against hand-computed values and Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from nas_core.data.image_set import ImageSet
from nas_core.data.resize import like


def of(pixels: np.ndarray) -> ImageSet:
    return ImageSet(pixels.astype(np.uint8), np.zeros(len(pixels), dtype=np.int64), ("one",) * len(pixels))


def row(*values: int) -> ImageSet:
    return of(np.array(values).reshape(1, 1, -1, 1))


def test_shrinking_takes_the_mean_over_areas() -> None:
    assert like(row(0, 10, 20, 40), (1, 2, 1)).images.ravel().tolist() == [5, 30]
    assert like(row(0, 30, 90), (1, 2, 1)).images.ravel().tolist() == [10, 70]
    square = of(np.array([[0, 100], [60, 40]]).reshape(1, 2, 2, 1))
    assert like(square, (1, 1, 1)).images.ravel().tolist() == [50]


def test_growing_interpolates_between_the_centers_of_pixels() -> None:
    assert like(row(0, 100), (1, 4, 1)).images.ravel().tolist() == [0, 25, 75, 100]


def test_gray_and_color() -> None:
    assert like(row(7, 9), (1, 2, 3)).images.tolist() == [[[[7] * 3, [9] * 3]]]
    color = of(np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]]).reshape(1, 1, 4, 3))
    assert like(color, (1, 4, 1)).images.ravel().tolist() == [76, 150, 29, 9]


@pytest.mark.parametrize(("side", "filter_"), [(4, Image.Resampling.BOX), (32, Image.Resampling.BILINEAR)])
def test_it_agrees_with_pillow(side: int, filter_: Image.Resampling) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, size=(3, 16, 16, 3))
    resized = like(of(pixels), (side, side, 3)).images.astype(int)
    for image, expected in zip(resized, pixels.astype(np.uint8), strict=True):
        oracle = np.asarray(Image.fromarray(expected).resize((side, side), filter_)).astype(int)
        assert np.abs(image - oracle).max() <= 1


@settings(max_examples=60, deadline=None)
@given(height=st.integers(1, 20), width=st.integers(1, 20), value=st.integers(0, 255), channels=st.sampled_from([1, 3]))
def test_a_flat_image_stays_flat(height: int, width: int, value: int, channels: int) -> None:
    resized = like(of(np.full((2, 8, 7, 1), value)), (height, width, channels))
    assert resized.image_shape == (height, width, channels)
    assert np.all(resized.images == value)


def test_labels_and_groups_stay_and_the_same_shape_is_free() -> None:
    whole = of(np.arange(2000 * 4).reshape(2000, 2, 2, 1) % 256)
    assert like(whole, (2, 2, 1)) is whole
    resized = like(whole, (1, 1, 1))
    assert len(resized) == 2000
    assert resized.groups == whole.groups
    assert np.array_equal(resized.labels, whole.labels)


@pytest.mark.parametrize("shape", [(0, 2, 1), (2, 2, 2), (2, 2, 4)])
def test_impossible_shapes_are_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot become"):
        like(row(1, 2), shape)
