"""Labeled images as the loaders give them, before any task or network sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.data import data_set


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

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Return what is written; groups are not kept."""
        return {"images": self.images, "labels": self.labels}

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
        validation: the official validation images, or None where there are none.
        shifted: further test images of other distributions, by the name of the shift.

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
    validation: ImageSet | None = None
    shifted: Mapping[str, ImageSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data_set.check(self)
        for name, part in {"test": self.test, "validation": self.validation, **self.shifted}.items():
            if part is not None and part.image_shape != self.train.image_shape:
                raise ValueError(
                    f"{self.name} has {name} images of shape {part.image_shape} and training images of shape "
                    f"{self.train.image_shape}; make them the same"
                )

    @property
    def learning_task(self) -> str:
        """Return the name of the task that learns from images."""
        return "image_classification"

    @property
    def shared(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return nothing: an image stands by itself."""
        return {}

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Return `(height, width, channels)`."""
        return self.train.image_shape

    @property
    def companion_settings(self) -> Mapping[str, Any]:
        """Return the size at which images are rendered that go with these."""
        return {"size": self.train.image_shape[0]}

    def like(self, shape: tuple[int, ...]) -> ImageData:
        """Return the set with images of another `(height, width, channels)`; see `nas_core.data.resize`.

        Raises:
            ValueError: images cannot become of that shape.
        """
        from nas_core.data.resize import like

        height, width, channels = shape

        def resized(part: ImageSet) -> ImageSet:
            return like(part, (height, width, channels))

        return replace(
            self,
            train=resized(self.train),
            validation=None if self.validation is None else resized(self.validation),
            test=None if self.test is None else resized(self.test),
            shifted={name: resized(part) for name, part in self.shifted.items()},
        )

    def description(self, train: ImageSet) -> Mapping[str, Any]:
        """Return the shape of the images, and mean and standard deviation of each channel in 0..1."""
        pixels = train.images.reshape(-1, train.images.shape[-1]) / 255.0
        return {
            "image_shape": list(train.image_shape),
            "channel_mean": pixels.mean(axis=0).tolist(),
            "channel_std": pixels.std(axis=0).tolist(),
        }


def _require_array(name: str, array: NDArray[Any], dtype: type, shape: str, num_dimensions: int) -> None:
    """Raise ValueError unless `array` is a numpy array of `dtype` with `num_dimensions` dimensions."""
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != num_dimensions:
        received = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
        raise ValueError(f"{name} are {received}; give a numpy array of {np.dtype(dtype).name} {shape}")
