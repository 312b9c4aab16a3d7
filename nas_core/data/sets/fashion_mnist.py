"""Fashion-MNIST: articles of clothing, gray, 28 x 28."""

from __future__ import annotations

from pathlib import Path

from nas_core.data import idx_parts
from nas_core.data.download import PublishedFile
from nas_core.data.image_set import ImageData
from nas_core.data.progress import Progress
from nas_core.data.published_folder import default_folder

ADDRESS = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
PARTS = idx_parts.IdxParts(
    train_images=PublishedFile(f"{ADDRESS}/train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
    train_labels=PublishedFile(f"{ADDRESS}/train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
    test_images=PublishedFile(f"{ADDRESS}/t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
    test_labels=PublishedFile(f"{ADDRESS}/t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
)
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load(folder: Path | None, *, download: bool = True, progress: Progress | None = None) -> ImageData:
    """Return Fashion-MNIST: 60,000 training and 10,000 test images as published, or however many the files hold.

    Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST", arXiv 1708.07747.

    Args:
        folder: the user's folder, which has or gets `FashionMNIST/raw/`; None for the default one.
        download: whether the network may be used where a file is absent.
        progress: called while downloading.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    root = default_folder() if folder is None else folder
    train, test = idx_parts.read(PARTS, root / "FashionMNIST" / "raw", download=download, progress=progress)
    return ImageData(
        name="fashion_mnist",
        class_names=CLASS_NAMES,
        train=train,
        test=test,
        license="MIT, Zalando SE",
        source="https://github.com/zalandoresearch/fashion-mnist",
        citation="H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a novel image dataset for benchmarking machine "
        "learning algorithms. arXiv 1708.07747.",
    )
