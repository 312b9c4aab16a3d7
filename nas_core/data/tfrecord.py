"""Reads TFRecord files: records between lengths and checksums, without TensorFlow.

A record is its length (8 bytes, least first), the checksum of these (4 bytes), its bytes, and their checksum. That is
CRC-32C, rotated by 15 bits with a constant added, modulo 2^32.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78
MASK = 0xA282EAD8
MAX_BYTES = 2**20
NUM_TOGETHER = 8192
REMEDY = "fetch it from its publisher again"


def records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file in order, each once its checksum has been found right.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file ends within a record, a record is longer than `MAX_BYTES`, or a checksum is wrong.
    """
    num_before = 0
    with path.open("rb") as stream:
        while True:
            found: list[bytes] = []
            stated: list[int] = []
            while len(found) < NUM_TOGETHER and (head := stream.read(12)):
                number = num_before + len(found)
                content = stream.read(_length(path, number, head))
                tail = stream.read(4)
                if len(tail) < 4:
                    raise ValueError(f"{path} ends within record {number}; {REMEDY}")
                found.append(content)
                stated.append(int.from_bytes(tail, "little"))
            if not found:
                return
            wrong = np.flatnonzero(checksums(found) != np.array(stated, np.uint32))
            if wrong.size:
                raise ValueError(f"{path}, record {num_before + wrong[0]}: its checksum is wrong; {REMEDY}")
            yield from found
            num_before += len(found)


def checksums(contents: Sequence[bytes]) -> NDArray[np.uint32]:
    """Return the checksum of each content as TFRecord has them, all worked out side by side.

    The contents lie in columns, the longest first, so that at each place those that go on are the first ones.
    """
    lengths = np.array([len(content) for content in contents])
    order = np.argsort(-lengths, kind="stable")
    longest = int(lengths.max(initial=0))
    padded = b"".join(contents[place].ljust(longest, b"\0") for place in order)
    columns = np.frombuffer(padded, np.uint8).reshape(len(contents), longest).T.astype(np.uint32, order="C")
    num_active = np.searchsorted(-lengths[order], -np.arange(longest), side="left")
    found = np.full(len(contents), 0xFFFFFFFF, np.uint32)
    for column, active in zip(columns, num_active.tolist(), strict=True):
        going = found[:active]
        found[:active] = TABLE[(going ^ column[:active]) & 255] ^ (going >> 8)
    crc = ~found
    masked = np.empty_like(crc)
    masked[order] = (crc >> 15 | crc << 17) + np.uint32(MASK)
    return masked


def _length(path: Path, number: int, head: bytes) -> int:
    """Return the length that a record states, once its checksum has been found right."""
    if len(head) < 12:
        raise ValueError(f"{path} ends within record {number}; {REMEDY}")
    length, stated = struct.unpack("<QI", head)
    crc = 0xFFFFFFFF
    for byte in head[:8]:
        crc = ENTRIES[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    if ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF != stated:
        raise ValueError(f"{path}, record {number}: the checksum of its length is wrong; {REMEDY}")
    if length > MAX_BYTES:
        raise ValueError(f"{path}, record {number}: it claims {length} bytes, allowed are {MAX_BYTES}; {REMEDY}")
    return int(length)


def _entry(byte: int) -> int:
    """Return the CRC-32C of one byte, without its inversions."""
    *_, last = accumulate(range(8), lambda crc, _: crc >> 1 ^ (POLYNOMIAL if crc & 1 else 0), initial=byte)
    return last


ENTRIES = tuple(map(_entry, range(256)))
TABLE = np.array(ENTRIES, np.uint32)
