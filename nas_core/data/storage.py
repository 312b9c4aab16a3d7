"""Keep an image set in one safetensors file."""

from __future__ import annotations

from pathlib import Path

from nas_core.data import tensor_file
from nas_core.data.image_set import ImageSet

TENSOR_NAMES = ("images", "labels")


def write(path: Path, image_set: ImageSet) -> None:
    """Write `image_set` to `path` atomically; groups are not kept.

    The file has the tensors `images`, uint8 `(num_examples, height, width, channels)`, and `labels`, int64
    `(num_examples,)`, and a SHA-256 of both in its metadata. Equal sets give equal bytes.

    Raises:
        OSError: the file system refused; an old file is intact.
    """
    tensor_file.write(path, image_set.tensors)


def read(path: Path) -> ImageSet:
    """Return the image set that `write` put into `path`; a file that states no SHA-256 is taken if its tensors fit.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated or altered, or holds something else; the error is one line and names it.
    """
    tensors = tensor_file.read(path, TENSOR_NAMES)
    try:
        return ImageSet(tensors["images"], tensors["labels"])
    except ValueError as error:
        raise ValueError(f"{path} holds no image set ({error}); {tensor_file.REMEDY}") from error
