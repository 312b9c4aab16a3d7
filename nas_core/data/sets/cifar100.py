"""CIFAR-100: color photographs of a hundred kinds of things, 32 x 32."""

from __future__ import annotations

from pathlib import Path

from nas_core.data import cifar_batches
from nas_core.data.download import PublishedFile
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress
from nas_core.data.published_folder import default_folder, unpacked

ARCHIVE = PublishedFile("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85")
FOLDER = "cifar-100-python"


def load(folder: Path | None, *, download: bool = True, progress: Progress | None = None) -> ImageData:
    """Return CIFAR-100 with its hundred fine classes: 50,000 training and 10,000 test images as published.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Args:
        folder: the user's folder, which has or gets `cifar-100-python/`; None for the default one.
        download: whether the network may be used where it is absent.
        progress: called while downloading.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    root = default_folder() if folder is None else folder
    batches = unpacked(ARCHIVE, FOLDER, root, download=download, progress=progress)
    return ImageData(
        name="cifar100",
        class_names=cifar_batches.read_class_names(batches / "meta", b"fine_label_names", 100),
        train=cifar_batches.read_images([batches / "train"], b"fine_labels", 100),
        test=cifar_batches.read_images([batches / "test"], b"fine_labels", 100),
        license="no license stated; for research, with citation",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        citation="A. Krizhevsky (2009). Learning multiple layers of features from tiny images. University of Toronto.",
    )
