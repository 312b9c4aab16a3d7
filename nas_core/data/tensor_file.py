"""Keep arrays by name in one safetensors file that states what it holds, so that damage is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.atomic_files import write_bytes

DIGEST_FIELD = "sha256"
REMEDY = "restore it, or run the stage that writes it again"


def write(path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    """Write `tensors` to `path` atomically, with a SHA-256 of them in the metadata; equal arrays give equal bytes.

    Raises:
        OSError: the file system refused; an old file is intact.
    """
    from safetensors.numpy import save

    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    write_bytes(path, save(contiguous, metadata={DIGEST_FIELD: _digest(contiguous)}))


def read(path: Path, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays that `write` put into `path`; a file that states no SHA-256 is taken if the names are there.

    Args:
        path: the file.
        names: the arrays that it must hold, and no others.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is truncated or altered, or holds something else; the error is one line and names it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = path.read_bytes()
    try:
        tensors: dict[str, NDArray[Any]] = load(content)
        digest = _metadata(content).get(DIGEST_FIELD)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is truncated or not a safetensors file ({error}); {REMEDY}") from error
    if sorted(tensors) != sorted(names):
        raise ValueError(f"{path} holds the tensors {sorted(tensors)}, expected {sorted(names)}; {REMEDY}")
    if digest is not None and digest != _digest(tensors):
        raise ValueError(f"{path} is altered: its content does not have the SHA-256 it states; {REMEDY}")
    return tensors


def _digest(tensors: Mapping[str, NDArray[Any]]) -> str:
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
