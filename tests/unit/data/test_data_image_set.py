"""An image set cannot exist wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from nas_core.data.image_set import ImageData, ImageSet

IMAGES = np.arange(3 * 2 * 2 * 1, dtype=np.uint8).reshape(3, 2, 2, 1)
LABELS = np.array([0, 1, 1])


def test_take_returns_images_labels_and_groups_in_the_order_asked_for() -> None:
    taken = ImageSet(IMAGES, LABELS, ("a", "b", "c")).take(np.array([2, 0]))
    assert len(taken) == 2
    assert taken.images[:, 0, 0, 0].tolist() == [8, 0]
    assert taken.labels.tolist() == [1, 0]
    assert taken.groups == ("c", "a")


def test_take_copies() -> None:
    whole = ImageSet(IMAGES.copy(), LABELS)
    whole.take(np.arange(3)).images[:] = 9
    assert np.array_equal(whole.images, IMAGES)


@pytest.mark.parametrize(
    ("images", "labels", "groups", "message"),
    [
        (IMAGES.astype(float), LABELS, None, "images are float64"),
        (IMAGES[..., 0], LABELS, None, r"images are uint8 \(3, 2, 2\)"),
        ([1, 2], LABELS, None, "images are list"),
        (IMAGES, LABELS.astype(np.int32), None, "labels are int32"),
        (IMAGES, LABELS[:2], None, "3 images have 2 labels"),
        (IMAGES[:0], LABELS[:0], None, "every dimension must be at least 1"),
        (IMAGES, LABELS - 1, None, "labels hold -1"),
        (IMAGES, LABELS, ("a",), "3 images have 1 groups"),
    ],
)
def test_wrong_sets_are_refused(images: Any, labels: Any, groups: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageSet(images, labels, groups)


def test_labels_above_the_number_of_classes_are_refused() -> None:
    ImageSet(IMAGES, LABELS).require_classes(2)
    with pytest.raises(ValueError, match="labels hold 1, allowed are 0 to 0"):
        ImageSet(IMAGES, LABELS).require_classes(1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": ("a", "a")}, "class_names"),
        ({"class_names": ("a",)}, "class_names"),
        ({"train": ImageSet(IMAGES, LABELS + 1)}, "labels hold 2"),
        ({"test": ImageSet(IMAGES, LABELS + 1)}, "labels hold 2"),
        ({"test": ImageSet(IMAGES[:, :1], LABELS)}, "test images of shape"),
        ({"license": ""}, "license .* is empty"),
    ],
)
def test_wrong_data_is_refused(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {
        "name": "toy",
        "class_names": ("a", "b"),
        "train": ImageSet(IMAGES, LABELS),
        "test": ImageSet(IMAGES, LABELS),
        "license": "MIT",
        "source": "here",
        "citation": "nobody",
    }
    ImageData(**fields)
    with pytest.raises(ValueError, match=message):
        ImageData(**{**fields, **changes})
