"""What the stage that prepares data knows of a loaded data set, whatever its examples are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray


class Examples(Protocol):
    """Examples with one class label each: a part of a data set."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Classes, counted from 0, `(num_examples,)`."""

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Where each example comes from, if examples of one origin must not be split; or None."""

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """What is written, by name."""

    def __len__(self) -> int:
        """Return the number of examples."""

    def take(self, indices: NDArray[np.int64]) -> Self:
        """Return the examples at `indices` `(num_taken,)`, in that order."""

    def require_classes(self, num_classes: int) -> None:
        """Raise ValueError if a label is not below `num_classes`."""


Part = TypeVar("Part", bound=Examples)


class DataSet(Protocol[Part]):
    """A loaded data set: its official parts, its classes, where it comes from, and what its learning task reads."""

    @property
    def name(self) -> str:
        """The loader's name, such as "cifar10"."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """The name of each class, by label."""

    @property
    def license(self) -> str:
        """The terms under which it is published."""

    @property
    def source(self) -> str:
        """Where it comes from, usually a URL."""

    @property
    def citation(self) -> str:
        """What to cite."""

    @property
    def train(self) -> Part:
        """The examples to learn from; absent official parts are split from them."""

    @property
    def validation(self) -> Part | None:
        """The official validation examples, or None."""

    @property
    def test(self) -> Part | None:
        """The official test examples, or None."""

    @property
    def shifted(self) -> Mapping[str, Part]:
        """Further test examples of other distributions, by the name of the shift; neither in `train` nor in `test`."""

    @property
    def shared(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Tensors that all parts need beside their own, by the name of their file: the graph whose nodes they are."""

    @property
    def learning_task(self) -> str:
        """The plug-in that reads the set once it is prepared."""

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Shape of what a network takes of an example: of an image, or (features of a node,)."""

    @property
    def companion_settings(self) -> Mapping[str, Any]:
        """Settings that a set that is to go with this one is loaded with, if it has them: the size of an image."""

    def like(self, shape: tuple[int, ...]) -> DataSet[Part]:
        """Return the set with examples of another `example_shape`.

        Raises:
            ValueError: that cannot be done.
        """

    def description(self, train: Part) -> Mapping[str, Any]:
        """Return what `dataset.json` says about the form of the examples, with the statistics of those in `train`."""


def check(data: DataSet[Any]) -> None:
    """Check what every data set must have.

    Raises:
        ValueError: a text is empty, a class has no name of its own, or a label is of no class.
    """
    for field in ("name", "license", "source", "citation"):
        if not getattr(data, field):
            raise ValueError(f"{field} of the data set {data.name!r} is empty; say it")
    if len(set(data.class_names)) != len(data.class_names) or len(data.class_names) < 2:
        raise ValueError(f"class_names of {data.name} are {data.class_names}; give two or more different names")
    for part in (data.train, data.validation, data.test, *data.shifted.values()):
        if part is not None:
            part.require_classes(len(data.class_names))
