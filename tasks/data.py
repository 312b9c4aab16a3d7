"""The prepared data on disk: where they are, and the learning tasks made of them."""

from __future__ import annotations

from pathlib import Path

from nas_core import catalog
from nas_core.task import Task

SEARCH = "data/search"
TEST = "data/test"
TRANSFER = "data/transfer"
TRANSFER_TEST = "data/transfer_test"
SHIFT = "data/shift"


def load_task(root: Path, device: str = "cpu", *, horizontal_flip: bool = False) -> Task:
    """Return the main task without its test split: what every stage before `retrain` learns from."""
    return _image_classification(root / SEARCH, None, device, horizontal_flip)


def load_task_with_test(root: Path, device: str = "cpu", *, horizontal_flip: bool = False) -> Task:
    """Return the main task with its test split, for stages from `retrain` on."""
    return _image_classification(root / SEARCH, root / TEST, device, horizontal_flip)


def load_transfer_task(root: Path, device: str = "cpu", *, statistics: Path | None = None) -> Task:
    """Return the second task, with its test split; `statistics` names other data whose normalization it takes."""
    return _image_classification(root / TRANSFER, root / TRANSFER_TEST, device, False, statistics)


def _image_classification(
    folder: Path, test_folder: Path | None, device: str, horizontal_flip: bool, statistics: Path | None = None
) -> Task:
    build = catalog.load("learning task", "image_classification").build
    task: Task = build(
        folder, test_folder=test_folder, device=device, horizontal_flip=horizontal_flip, statistics_folder=statistics
    )
    return task
