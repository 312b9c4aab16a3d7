"""Read the batches CIFAR-10 and CIFAR-100 are published in (the "python version")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nas_core.data import restricted_pickle
from nas_core.data.image_set import ImageSet

IMAGE_SHAPE = (32, 32, 3)
REMEDY = "delete its folder and run again to unpack it anew"


def read_images(paths: Sequence[Path], label_field: bytes, num_classes: int) -> ImageSet:
    """Return the images of several batch files, one after the other.

    A batch holds `data`, uint8 `(num_examples, 3072)`, a row being the red, the green and the blue plane of 32 x 32,
    and a list of labels. Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Args:
        paths: the batch files; any number of images each.
        label_field: the field of the labels, such as b"labels" or b"fine_labels".
        num_classes: every label must be below it.

    Raises:
        FileNotFoundError: a batch is absent.
        ValueError: a batch is damaged or has another content; the error names the file.
    """
    parts = [_read_batch(path, label_field, num_classes) for path in paths]
    return ImageSet(np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts]))


def read_class_names(path: Path, field: bytes, num_classes: int) -> tuple[str, ...]:
    """Return the class names in the `field` of a meta file, of which there must be `num_classes`."""
    names = _read(path).get(field)
    if not isinstance(names, list) or len(names) != num_classes or not all(isinstance(name, bytes) for name in names):
        raise ValueError(f"{path} has no list of {num_classes} names in {field.decode()}; {REMEDY}")
    return tuple(name.decode("latin-1") for name in names)


def _read_batch(path: Path, label_field: bytes, num_classes: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images `(num_examples, 32, 32, 3)` and labels of one batch file."""
    batch = _read(path)
    rows, labels = batch.get(b"data"), batch.get(label_field)
    height, width, channels = IMAGE_SHAPE
    if not isinstance(rows, np.ndarray) or rows.dtype != np.uint8 or rows.shape[1:] != (height * width * channels,):
        raise ValueError(f"{path} has no array of uint8 rows of {height * width * channels} in data; {REMEDY}")
    if not isinstance(labels, list) or len(labels) != len(rows) or not all(type(label) is int for label in labels):
        raise ValueError(f"{path} has no list of {len(rows)} whole numbers in {label_field.decode()}; {REMEDY}")
    if labels and not 0 <= min(labels) <= max(labels) < num_classes:
        raise ValueError(
            f"{path} has labels {min(labels)} to {max(labels)}, allowed are 0 to {num_classes - 1}; {REMEDY}"
        )
    images = rows.reshape(len(rows), channels, height, width).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(labels, dtype=np.int64)


def _read(path: Path) -> dict[bytes, object]:
    """Return the fields of a published file, or say what to do where it is absent."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is absent although its folder is there; {REMEDY}")
    return restricted_pickle.read(path)
