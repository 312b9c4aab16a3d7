"""Keep an image set in one safetensors file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.atomic_files import write_bytes
from nas_core.data.image_set import ImageSet

DIGEST_FIELD = "sha256"
TENSOR_NAMES = ("images", "labels")


def write(path: Path, image_set: ImageSet) -> None:
    """Write `image_set` to `path` atomically; groups are not kept.

    The file has the tensors `images`, uint8 `(num_examples, height, width, channels)`, and `labels`, int64
    `(num_examples,)`, and a SHA-256 of both in its metadata. Equal sets give equal bytes.

    Raises:
        OSError: the file system refused; an old file is intact.
    """
    from safetensors.numpy import save

    tensors = {name: np.ascontiguousarray(getattr(image_set, name)) for name in TENSOR_NAMES}
    write_bytes(path, save(tensors, metadata={DIGEST_FIELD: _digest(tensors)}))


def read(path: Path) -> ImageSet:
    """Return the image set that `write` put into `path`; a file that states no SHA-256 is taken if its tensors fit.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated or altered, or holds something else; the error is one line and names it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = path.read_bytes()
    remedy = "restore it, or run the stage that writes it again"
    try:
        tensors = load(content)
        digest = _metadata(content).get(DIGEST_FIELD)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is truncated or not a safetensors file ({error}); {remedy}") from error
    if sorted(tensors) != sorted(TENSOR_NAMES):
        raise ValueError(f"{path} holds the tensors {sorted(tensors)}, expected {sorted(TENSOR_NAMES)}; {remedy}")
    if digest is not None and digest != _digest(tensors):
        raise ValueError(f"{path} is altered: its content does not have the SHA-256 it states; {remedy}")
    try:
        return ImageSet(tensors["images"], tensors["labels"])
    except ValueError as error:
        raise ValueError(f"{path} holds no image set ({error}); {remedy}") from error


def _digest(tensors: dict[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype.name} {tensor.shape}\n".encode())
        digest.update(tensor.tobytes())
    return digest.hexdigest()


def _metadata(content: bytes) -> dict[str, str]:
    """Return the metadata in the header: eight bytes of its length, least first, then JSON."""
    length = int.from_bytes(content[:8], "little")
    header: dict[str, dict[str, str]] = json.loads(content[8 : 8 + length])
    return header.get("__metadata__", {})
