"""Labeled images as the loaders give them, before any task or network sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with one class label each.

    Attributes:
        images: uint8, `(num_examples, height, width, channels)`, 0..255.
        labels: int64, `(num_examples,)`, classes counted from 0.
        groups: where each image comes from (a family of typefaces), if images of one origin must not be split; or None.

    Raises:
        ValueError: a shape, dtype or label is not as above; there must be at least one image.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    groups: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        _require_array("images", self.images, np.uint8, "(num_examples, height, width, channels)", 4)
        _require_array("labels", self.labels, np.int64, "(num_examples,)", 1)
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images have {len(self.labels)} labels; give one label an image")
        if 0 in self.images.shape:
            raise ValueError(f"images have shape {self.images.shape}; every dimension must be at least 1")
        if self.labels.min() < 0:
            raise ValueError(f"labels hold {self.labels.min()}; classes are counted from 0")
        if self.groups is not None and len(self.groups) != len(self.labels):
            raise ValueError(f"{len(self.labels)} images have {len(self.groups)} groups; give one an image, or None")

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Return `(height, width, channels)`."""
        _, height, width, channels = self.images.shape
        return height, width, channels

    def take(self, indices: NDArray[np.int64]) -> ImageSet:
        """Return the images at `indices` `(num_taken,)`, in that order, as copies."""
        groups = None if self.groups is None else tuple(self.groups[index] for index in indices.tolist())
        return ImageSet(self.images[indices], self.labels[indices], groups)

    def require_classes(self, num_classes: int) -> None:
        """Raise ValueError if a label is not below `num_classes`."""
        if self.labels.max() >= num_classes:
            raise ValueError(f"labels hold {self.labels.max()}, allowed are 0 to {num_classes - 1}")


@dataclass(frozen=True, eq=False)
class ImageData:
    """A published or rendered image set with its classes, its official parts and where it comes from.

    Attributes:
        name: the loader's name, such as "cifar10".
        class_names: the name of each class, by label.
        train: the images to learn from; a validation part is split from it by the caller.
        test: the official test images, or None where there is no official split.
        license: the terms the images are published under.
        source: where they come from, usually a URL.
        citation: what to cite.

    Raises:
        ValueError: the parts differ in image shape, a label has no class name, or a text is empty.
    """

    name: str
    class_names: tuple[str, ...]
    train: ImageSet
    test: ImageSet | None
    license: str
    source: str
    citation: str

    def __post_init__(self) -> None:
        for field in ("name", "license", "source", "citation"):
            if not getattr(self, field):
                raise ValueError(f"{field} of the data set {self.name!r} is empty; say it")
        if len(set(self.class_names)) != len(self.class_names) or len(self.class_names) < 2:
            raise ValueError(f"class_names of {self.name} are {self.class_names}; give two or more different names")
        self.train.require_classes(len(self.class_names))
        if self.test is not None:
            self.test.require_classes(len(self.class_names))
            if self.test.image_shape != self.train.image_shape:
                raise ValueError(
                    f"{self.name} has test images of shape {self.test.image_shape} and training images of shape "
                    f"{self.train.image_shape}; make them the same"
                )


def _require_array(name: str, array: NDArray[Any], dtype: type, shape: str, num_dimensions: int) -> None:
    """Raise ValueError unless `array` is a numpy array of `dtype` with `num_dimensions` dimensions."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != num_dimensions:
        received = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} are {received}; give a numpy array of {np.dtype(dtype).name} {shape}")
