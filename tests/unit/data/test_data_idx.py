"""IDX files: what is published is read, anything else is refused in one line before memory is spent on it."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nas_core.data import idx


def content(values: np.ndarray) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


VALUES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_values_come_back(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    path = tmp_path / "values"
    path.write_bytes(pack(content(VALUES)))
    assert np.array_equal(idx.read(path, 3), VALUES)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (content(VALUES)[:-1], "holds only 23|claims 24 values"),
        (content(VALUES) + b"\0", "holds more"),
        (content(VALUES)[:7], "ends inside its header"),
        (b"", "begins with"),
        (b"\0\0\x0d\x03" + content(VALUES)[4:], "begins with 00000d03, expected 00000803"),
        (content(VALUES[0]), "begins with 00000802"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1), "claims .* more than its size allows"),
    ],
)
def test_wrong_content_is_one_line_with_the_file_name(tmp_path: Path, pack: object, wrong: bytes, message: str) -> None:
    assert callable(pack)
    path = tmp_path / "train-images"
    path.write_bytes(pack(wrong))
    with pytest.raises(ValueError, match=message) as caught:
        idx.read(path, 3)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_a_damaged_gzip_file_is_a_value_error(tmp_path: Path, data: st.DataObject) -> None:
    packed = bytearray(gzip.compress(content(VALUES), mtime=0))
    position = data.draw(st.integers(0, len(packed) - 1))
    packed[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "images.gz"
    path.write_bytes(packed)
    try:
        values = idx.read(path, 3)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = f"{path}"
        assert np.array_equal(values, VALUES)
    assert str(path) in refusal
    assert "\n" not in refusal


def test_a_truncated_gzip_file_is_a_value_error(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(content(VALUES))[:-9])
    with pytest.raises(ValueError, match=r"images\.gz is truncated or damaged"):
        idx.read(path, 3)
