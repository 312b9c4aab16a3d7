"""Read the four files that MNIST and its successors are published in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nas_core.data import idx
from nas_core.data.download import PublishedFile, fetch
from nas_core.data.image_set import ImageSet
from nas_core.data.progress import Progress

NUM_CLASSES = 10


@dataclass(frozen=True)
class IdxParts:
    """The published files of a set: images and labels to train on, images and labels to test on."""

    train_images: PublishedFile
    train_labels: PublishedFile
    test_images: PublishedFile
    test_labels: PublishedFile

    def __post_init__(self) -> None:
        for published in self.files:
            if not published.name.endswith(".gz"):
                raise ValueError(f"{published.url} is not a .gz file; IDX files are published compressed")

    @property
    def files(self) -> Sequence[PublishedFile]:
        """Return the four files."""
        return self.train_images, self.train_labels, self.test_images, self.test_labels


def read(parts: IdxParts, folder: Path, *, download: bool, progress: Progress | None) -> tuple[ImageSet, ImageSet]:
    """Return the training and the test images in `folder`, fetching the files that are absent.

    Each file may be there compressed (`NAME.gz`) or unpacked (`NAME`); the unpacked one is read if both are.

    Args:
        parts: the published files.
        folder: where they are or go, such as `MNIST/raw` below the user's folder.
        download: whether the network may be used.
        progress: as for `nas_core.data.download.fetch`.

    Raises:
        ValueError: a file is damaged or does not go with the others; the error names it.
        FileNotFoundError, ConnectionError, OSError: as `nas_core.data.download.fetch`.
    """

    def place(published: PublishedFile) -> Path:
        plain = folder / published.name.removesuffix(".gz")
        return plain if plain.is_file() else fetch(published, folder, download=download, progress=progress)

    train_images, train_labels, test_images, test_labels = [place(published) for published in parts.files]
    return _read_part(train_images, train_labels), _read_part(test_images, test_labels)


def _read_part(images_path: Path, labels_path: Path) -> ImageSet:
    """Return the images and labels of one part, as gray images of one channel."""
    images, labels = idx.read(images_path, 3), idx.read(labels_path, 1)
    if len(images) != len(labels):
        raise ValueError(
            f"{images_path} has {len(images)} images and {labels_path} {len(labels)} labels; fetch both again"
        )
    if labels.size and labels.max() >= NUM_CLASSES:
        raise ValueError(
            f"{labels_path} holds the label {labels.max()}, allowed are 0 to {NUM_CLASSES - 1}; fetch it again"
        )
    return ImageSet(images[..., np.newaxis], labels.astype(np.int64))
