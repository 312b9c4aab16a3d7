"""TFRecord files, written here bit by bit: records come back, and damage is refused in one line."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from nas_core.data import protocol_buffers, tfrecord

RECORDS = [b"first", b"", b"a longer third record", b"x" * 300]


def crc32c(content: bytes) -> int:
    """The definition: polynomial 0x1EDC6F41, reflected, a bit at a time."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(content: bytes) -> bytes:
    length = struct.pack("<Q", len(content))
    return length + masked(length) + content + masked(content)


def written(path: Path, records: Sequence[bytes]) -> Path:
    path.write_bytes(b"".join(map(framed, records)))
    return path


def test_the_checksum_is_the_published_one() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4
    assert crc32c(bytes(32)) == 0x8A9136AA
    contents = [b"123456789", b"", bytes(32), os.urandom(17), b"1"]
    assert [struct.pack("<I", int(each)) for each in tfrecord.checksums(contents)] == [
        masked(each) for each in contents
    ]


def test_records_come_back_in_order(tmp_path: Path) -> None:
    assert list(tfrecord.records(written(tmp_path / "file", RECORDS))) == RECORDS
    assert list(tfrecord.records(written(tmp_path / "file", []))) == []


def test_records_are_checked_together_and_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfrecord, "NUM_TOGETHER", 3)
    path = written(tmp_path / "file", RECORDS * 2)
    assert list(tfrecord.records(path)) == RECORDS * 2
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(ValueError, match="record 7: its checksum is wrong"):
        list(tfrecord.records(path))


def test_every_torn_file_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "file", RECORDS[:3])
    whole = path.read_bytes()
    ends = {sum(16 + len(each) for each in RECORDS[:number]) for number in range(4)}
    for length in set(range(len(whole))) - ends:
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"ends within record \d") as caught:
            list(tfrecord.records(path))
        assert "\n" not in str(caught.value)


def test_every_altered_byte_is_noticed(tmp_path: Path) -> None:
    path = written(tmp_path / "file", RECORDS[:3])
    whole = path.read_bytes()
    for place in range(len(whole)):
        altered = bytearray(whole)
        altered[place] ^= 0x40
        path.write_bytes(altered)
        with pytest.raises(ValueError, match=r"record \d: (its checksum|the checksum of its length) is wrong"):
            list(tfrecord.records(path))


def test_a_length_that_no_record_has_takes_no_memory(tmp_path: Path) -> None:
    length = struct.pack("<Q", 2**50)
    (tmp_path / "file").write_bytes(length + masked(length) + b"x")
    with pytest.raises(ValueError, match="claims 1125899906842624 bytes, allowed are 1048576"):
        list(tfrecord.records(tmp_path / "file"))


def test_the_fields_of_a_message() -> None:
    # field 2 is the number 300; field 1 counts three bytes; field 3 is a double, field 4 has four bytes
    message = b"\x10\xac\x02" + b"\x0a\x03abc" + b"\x19" + struct.pack("<d", 0.75) + b"\x25abcd"
    found = list(protocol_buffers.fields(message))
    assert found == [(2, 300), (1, b"abc"), (3, struct.pack("<d", 0.75)), (4, b"abcd")]
    assert protocol_buffers.as_double(found[2][1]) == 0.75
    for value in (300, b"abc"):
        with pytest.raises(ValueError, match="is not a double"):
            protocol_buffers.as_double(value)
    for length in set(range(len(message))) - {0, 3, 8, 17}:
        with pytest.raises(ValueError, match="a message ends within"):
            list(protocol_buffers.fields(message[:length]))


@pytest.mark.parametrize(
    ("change", "message"), [(lambda: b"\x0b", "unknown way 3"), (lambda: b"\x80" * 11, "ends within a number")]
)
def test_other_messages_are_refused(change: Callable[[], bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(protocol_buffers.fields(change()))
