"""CIFAR-10: color photographs of ten kinds of things, 32 x 32."""

from __future__ import annotations

from pathlib import Path

from nas_core.data import cifar_batches
from nas_core.data.download import PublishedFile
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress
from nas_core.data.published_folder import default_folder, unpacked

ARCHIVE = PublishedFile("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a")
FOLDER = "cifar-10-batches-py"


def load(folder: Path | None, *, download: bool = True, progress: Progress | None = None) -> ImageData:
    """Return CIFAR-10: 50,000 training and 10,000 test images as published, or however many the batches hold.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Args:
        folder: the user's folder, which has or gets `cifar-10-batches-py/`; None for the default one.
        download: whether the network may be used where it is absent.
        progress: called while downloading.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    root = default_folder() if folder is None else folder
    batches = unpacked(ARCHIVE, FOLDER, root, download=download, progress=progress)
    return ImageData(
        name="cifar10",
        class_names=cifar_batches.read_class_names(batches / "batches.meta", b"label_names", 10),
        train=cifar_batches.read_images([batches / f"data_batch_{number}" for number in range(1, 6)], b"labels", 10),
        test=cifar_batches.read_images([batches / "test_batch"], b"labels", 10),
        license="no license stated; for research, with citation",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky (2009). Learning multiple layers of features from tiny images. University of Toronto.",
    )
