"""Reads the fields of a Protocol Buffers message of which no more than the numbers of a few fields is known."""

from __future__ import annotations

import struct
from collections.abc import Iterator

VARINT, EIGHT_BYTES, COUNTED, FOUR_BYTES = 0, 1, 2, 5
"""How a field is written (https://protobuf.dev/programming-guides/encoding)."""

FIXED_LENGTHS = {EIGHT_BYTES: 8, FOUR_BYTES: 4}
NUM_VARINT_BYTES = 10


def fields(content: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field of a message, in order.

    A value is a number where it is written as a varint, and its bytes otherwise.

    Raises:
        ValueError: the message ends within a field, or a field is written in an unknown way.
    """
    place = 0
    while place < len(content):
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, place = _varint(content, place)
            yield number, value
            continue
        if kind == COUNTED:
            length, place = _varint(content, place)
        elif kind in FIXED_LENGTHS:
            length = FIXED_LENGTHS[kind]
        else:
            raise ValueError(f"field {number} of a message is written in the unknown way {kind}")
        if place + length > len(content):
            raise ValueError(f"a message ends within its field {number}")
        yield number, content[place : place + length]
        place += length


def as_double(value: int | bytes) -> float:
    """Return the value of a field that is a double; ValueError if it is not written as one."""
    if not isinstance(value, bytes) or len(value) != 8:
        raise ValueError("a field of a message is not a double")
    (number,) = struct.unpack("<d", value)
    return float(number)


def _varint(content: bytes, place: int) -> tuple[int, int]:
    """Return the varint at a place (7 bits a byte, least first; all but the last have the eighth) and what follows."""
    value = 0
    for index, byte in enumerate(content[place : place + NUM_VARINT_BYTES]):
        value |= (byte & 127) << 7 * index
        if byte < 128:
            return value, place + index + 1
    raise ValueError("a message ends within a number")
