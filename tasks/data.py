"""The prepared data on disk: where they are, and the learning tasks made of them."""

from __future__ import annotations

import json
from pathlib import Path

from nas_core import catalog
from nas_core.task import Task

SEARCH = "data/search"
TEST = "data/test"
TRANSFER = "data/transfer"
TRANSFER_TEST = "data/transfer_test"
SHIFT = "data/shift"

IMAGE_CLASSIFICATION = "image_classification"
"""The learning task of the data sets that there are, and of folders that name none."""


def load_task(root: Path, device: str = "cpu", *, horizontal_flip: bool = False) -> Task:
    """Return the main task without its test split: what every stage before `retrain` learns from."""
    return built_task(root / SEARCH, device, horizontal_flip=horizontal_flip)


def load_task_with_test(root: Path, device: str = "cpu", *, horizontal_flip: bool = False) -> Task:
    """Return the main task with its test split, for stages from `retrain` on."""
    return built_task(root / SEARCH, device, test_folder=root / TEST, horizontal_flip=horizontal_flip)


def load_transfer_task(root: Path, device: str = "cpu", *, statistics: Path | None = None) -> Task:
    """Return the second task, with its test split; `statistics` names other data whose normalization it takes."""
    return built_task(root / TRANSFER, device, test_folder=root / TRANSFER_TEST, statistics=statistics)


def built_task(
    folder: Path,
    device: str,
    *,
    test_folder: Path | None = None,
    horizontal_flip: bool = False,
    statistics: Path | None = None,
) -> Task:
    """Return the task of prepared data, by the learning task that its `dataset.json` names.

    Every process that trains or scores begins here, so torch's kernels are chosen here too.

    Args:
        folder: prepared training and validation data.
        device: torch device.
        test_folder: prepared test data; without it the task has no test split.
        horizontal_flip: part of the augmentation.
        statistics: folder of the prepared data whose statistics normalize the inputs; None is `folder`.
    """
    from nas_core.training.precision import choose_reproducible_kernels

    named = json.loads((folder / "dataset.json").read_bytes()).get("learning_task", IMAGE_CLASSIFICATION)
    task: Task = catalog.load("learning task", named).build(
        folder, test_folder=test_folder, device=device, horizontal_flip=horizontal_flip, statistics_folder=statistics
    )
    choose_reproducible_kernels(task.device)
    return task
