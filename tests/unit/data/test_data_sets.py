"""The loaders, on small files in the published formats and, where NAS_DATA_ROOT is set, on real ones."""

from __future__ import annotations

import gzip
import importlib
import os
import pickle
import pkgutil
import struct
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from nas_core.data import sets
from nas_core.data.image_set import ImageData
from nas_core.data.sets import cifar10, cifar100, digits, fashion_mnist, mnist

NAMES = sorted(entry.name for entry in pkgutil.iter_modules(sets.__path__))


def pickled(path: Path, value: dict[bytes, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(value, protocol=2))


def pixels(num_examples: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(num_examples, 3072), dtype=np.uint8)


@pytest.fixture
def cifar10_root(tmp_path: Path) -> Path:
    folder = tmp_path / "cifar-10-batches-py"
    for number in range(1, 6):
        batch = {b"data": pixels(number + 1, number), b"labels": [number, *range(number)]}
        pickled(folder / f"data_batch_{number}", batch)
    pickled(folder / "test_batch", {b"data": pixels(2, 9), b"labels": [9, 0]})
    pickled(folder / "batches.meta", {b"label_names": [f"class {label}".encode() for label in range(10)]})
    return tmp_path


def write_idx(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_idx_set(folder: Path, suffix: str) -> None:
    for prefix, num_examples in (("train", 12), ("t10k", 10)):
        images = np.arange(num_examples * 28 * 28, dtype=np.uint64).astype(np.uint8).reshape(num_examples, 28, 28)
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images)
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", (np.arange(num_examples) % 10).astype(np.uint8))


def test_cifar10_batches_of_any_size_come_in_order(cifar10_root: Path) -> None:
    data = cifar10.load(cifar10_root, download=False)
    assert data.class_names[:2] == ("class 0", "class 1")
    assert data.train.labels.tolist() == [1, 0, 2, 0, 1, 3, 0, 1, 2, 4, 0, 1, 2, 3, 5, 0, 1, 2, 3, 4]
    assert data.test is not None
    assert data.test.labels.tolist() == [9, 0]
    assert data.train.image_shape == (32, 32, 3)
    first_row = pixels(2, 1)[0]
    assert data.train.images[0, 0, 1].tolist() == [first_row[1], first_row[1024 + 1], first_row[2048 + 1]]
    assert data.train.images[0, 1, 0, 0] == first_row[32]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({b"data": pixels(2, 0), b"labels": [0]}, "no list of 2 whole numbers in labels"),
        ({b"data": pixels(2, 0), b"labels": [0, 10]}, "labels 0 to 10, allowed are 0 to 9"),
        ({b"data": pixels(2, 0), b"labels": [0, "1"]}, "no list of 2 whole numbers"),
        ({b"data": pixels(2, 0), b"fine_labels": [0, 1]}, "no list of 2 whole numbers"),
        ({b"data": pixels(2, 0)[:, 1:], b"labels": [0, 1]}, "no array of uint8 rows of 3072"),
        ({b"data": [1], b"labels": [0]}, "no array of uint8 rows"),
        ({}, "no array of uint8 rows"),
    ],
)
def test_a_wrong_cifar_batch_is_named(cifar10_root: Path, batch: dict[bytes, object], message: str) -> None:
    path = cifar10_root / "cifar-10-batches-py" / "data_batch_3"
    pickled(path, batch)
    with pytest.raises(ValueError, match=message) as caught:
        cifar10.load(cifar10_root, download=False)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_cifar_batch_and_a_wrong_list_of_names_are_named(cifar10_root: Path) -> None:
    folder = cifar10_root / "cifar-10-batches-py"
    (folder / "data_batch_3").unlink()
    with pytest.raises(FileNotFoundError, match="data_batch_3 is absent although"):
        cifar10.load(cifar10_root, download=False)
    pickled(folder / "batches.meta", {b"label_names": [b"one"]})
    with pytest.raises(ValueError, match=r"batches\.meta has no list of 10 names"):
        cifar10.load(cifar10_root, download=False)


def test_cifar100_takes_the_fine_labels(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-100-python"
    for part, fine in (("train", [99, 0, 50]), ("test", [1])):
        pickled(folder / part, {b"data": pixels(len(fine), 1), b"fine_labels": fine, b"coarse_labels": [3] * len(fine)})
    pickled(folder / "meta", {b"fine_label_names": [f"fine {label}".encode() for label in range(100)]})
    data = cifar100.load(tmp_path, download=False)
    assert data.train.labels.tolist() == [99, 0, 50]
    assert data.class_names[99] == "fine 99"


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("loader", "folder"), [(mnist, "MNIST"), (fashion_mnist, "FashionMNIST")])
def test_idx_sets_are_read_compressed_or_not(tmp_path: Path, suffix: str, loader: ModuleType, folder: str) -> None:
    write_idx_set(tmp_path / folder / "raw", suffix)
    data: ImageData = loader.load(tmp_path, download=False)
    assert data.train.images.shape == (12, 28, 28, 1)
    assert data.train.images[1, 0, 1, 0] == (28 * 28 + 1) % 256
    assert data.train.labels.tolist() == [*range(10), 0, 1]
    assert data.test is not None
    assert len(data.test) == 10


def test_idx_files_that_do_not_go_together_are_named(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    write_idx_set(raw, ".gz")
    write_idx(raw / "train-labels-idx1-ubyte.gz", np.arange(11, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz has 12 images and .*train-labels.* 11 labels"):
        mnist.load(tmp_path, download=False)
    write_idx(raw / "train-labels-idx1-ubyte.gz", np.arange(12, dtype=np.uint8))
    with pytest.raises(ValueError, match=r"train-labels-idx1-ubyte\.gz holds the label 11, allowed are 0 to 9"):
        mnist.load(tmp_path, download=False)


@pytest.mark.parametrize(
    ("loader", "folder", "url"),
    [
        (cifar10, "", "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"),
        (cifar100, "", "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"),
        (mnist, "MNIST/raw", "https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz"),
        (
            fashion_mnist,
            "FashionMNIST/raw",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/train-images-idx3-ubyte.gz",
        ),
    ],
)
def test_an_absent_set_names_its_address_and_its_folder(
    tmp_path: Path, loader: ModuleType, folder: str, url: str
) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        loader.load(tmp_path, download=False)
    assert str(caught.value).endswith(f"or get {url} elsewhere and put it into {tmp_path / folder}")


def test_digits_are_scaled_to_bytes() -> None:
    data = digits.load(None)
    assert data.train.images.shape == (1797, 8, 8, 1)
    assert data.test is None
    assert data.train.labels[:10].tolist() == list(range(10))
    assert data.train.images[0, 0, :, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert data.train.images.max() == 255


def test_loaders_and_their_modules_are_imported_without_heavy_libraries() -> None:
    modules = [f"nas_core.data.sets.{name}" for name in NAMES] + [
        f"nas_core.data.{name}" for name in ("splits", "storage", "manifest", "resize")
    ]
    program = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\n"
        "print([name for name in ('torch', 'sklearn', 'matplotlib', 'PIL', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMES)
def test_every_loader_gives_data_of_its_name_from_a_folder(name: str) -> None:
    root = os.environ.get("NAS_DATA_ROOT")
    if root is None:
        pytest.skip("NAS_DATA_ROOT is not set; it names a folder with the published data sets")
    data: ImageData = importlib.import_module(f"nas_core.data.sets.{name}").load(Path(root), download=False)
    assert data.name == name
    for part in (data.train, data.test):
        if part is not None:
            assert np.array_equal(np.unique(part.labels), np.arange(len(data.class_names)))
            assert 20 < part.images.mean() < 160
