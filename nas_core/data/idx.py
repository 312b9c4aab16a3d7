"""Read IDX files, the format MNIST and its successors are published in."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTE = 0x08
LARGEST_DEFLATE_RATIO = 1032
CHUNK_BYTES = 1 << 20


def read(path: Path, num_dimensions: int) -> NDArray[np.uint8]:
    """Return the unsigned bytes of an IDX file, plain or compressed with gzip (told by its first two bytes).

    The format: two zero bytes, a type (0x08: unsigned byte), the number of dimensions, each dimension as a big-endian
    32-bit count, then the values, the last dimension fastest. Source: LeCun, Cortes and Burges, "The MNIST database".

    What the header claims is compared with what the file can hold before anything of that size is allocated.

    Args:
        path: the file.
        num_dimensions: how many dimensions it must have: 1 for labels, 3 for images.

    Returns:
        The values, uint8, in the shape the header gives.

    Raises:
        ValueError: not an IDX file of unsigned bytes, other dimensions, truncated, too long, or damaged.
        OSError: the file cannot be read.
    """
    num_file_bytes = path.stat().st_size
    with path.open("rb") as raw:
        compressed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not compressed:
            return _read_stream(raw, path, num_dimensions, num_file_bytes)
        try:
            with gzip.GzipFile(fileobj=raw) as stream:
                return _read_stream(stream, path, num_dimensions, num_file_bytes * LARGEST_DEFLATE_RATIO)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ValueError(f"{path} is truncated or damaged ({error}); {REMEDY}") from error


REMEDY = "delete it and fetch it again"


def _read_stream(
    stream: BinaryIO | gzip.GzipFile, path: Path, num_dimensions: int, most_bytes: int
) -> NDArray[np.uint8]:
    """Return the values from the uncompressed `stream`, which can hold `most_bytes` bytes at most."""
    header_bytes = 4 + 4 * num_dimensions
    header = stream.read(header_bytes)
    expected_magic = bytes([0, 0, UNSIGNED_BYTE, num_dimensions])
    if header[:4] != expected_magic:
        raise ValueError(f"{path} begins with {header[:4].hex()}, expected {expected_magic.hex()}; {REMEDY}")
    if len(header) < header_bytes:
        raise ValueError(f"{path} ends inside its header; {REMEDY}")
    shape = tuple(int.from_bytes(header[start : start + 4], "big") for start in range(4, header_bytes, 4))
    num_values = math.prod(shape)
    if num_values > most_bytes - header_bytes:
        raise ValueError(f"{path} claims {num_values} values {shape}, more than its size allows; {REMEDY}")
    content = bytearray()
    while len(content) <= num_values and (chunk := stream.read(CHUNK_BYTES)):
        content += chunk
    if len(content) != num_values:
        more = "more" if len(content) > num_values else f"only {len(content)}"
        raise ValueError(f"{path} claims {num_values} values {shape} and holds {more}; {REMEDY}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
