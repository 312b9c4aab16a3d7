"""MNIST: handwritten digits, gray, 28 x 28."""

from __future__ import annotations

from pathlib import Path

from nas_core.data import idx_parts
from nas_core.data.download import PublishedFile
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress
from nas_core.data.published_folder import default_folder

ADDRESS = "https://ossci-datasets.s3.amazonaws.com/mnist"
PARTS = idx_parts.IdxParts(
    train_images=PublishedFile(f"{ADDRESS}/train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
    train_labels=PublishedFile(f"{ADDRESS}/train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
    test_images=PublishedFile(f"{ADDRESS}/t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
    test_labels=PublishedFile(f"{ADDRESS}/t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
)


def load(folder: Path | None, *, download: bool = True, progress: Progress | None = None) -> ImageData:
    """Return MNIST: 60,000 training and 10,000 test images as published, or however many the files hold.

    Source: LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition".

    Args:
        folder: the user's folder, which has or gets `MNIST/raw/`; None for the default one.
        download: whether the network may be used where a file is absent.
        progress: called while downloading.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    root = default_folder() if folder is None else folder
    train, test = idx_parts.read(PARTS, root / "MNIST" / "raw", download=download, progress=progress)
    return ImageData(
        name="mnist",
        class_names=tuple("0123456789"),
        train=train,
        test=test,
        license="CC BY-SA 3.0",
        source=ADDRESS,
        citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11).",
    )
