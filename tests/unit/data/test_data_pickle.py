"""Pickles of CIFAR are read; a pickle that wants to do anything else is refused."""

from __future__ import annotations

import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nas_core.data import restricted_pickle

ROWS = np.arange(12, dtype=np.uint8).reshape(3, 4)

PYTHON_2_BATCH = (
    b"\x80\x02}q\x01(U\x04dataq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85U\x01b\x87"
    b"Rq\x05(K\x01K\x03K\x04\x86cnumpy\ndtype\nq\x06U\x02u1K\x00K\x01\x87Rq\x07(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff"
    b"\xff\xffK\x00tb\x89U\x0c" + ROWS.tobytes() + b"tbU\x06labelsq\x08]q\x09(K\x02K\x00K\x01eu."
)
"""A batch as Python 2 wrote it: byte strings, and the module names of numpy 1."""


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "data_batch_1"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL - 1))
@pytest.mark.parametrize("dtype", ["u1", "<i4", ">i8", "f4", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(tmp_path: Path, protocol: int, dtype: str, order: Literal["C", "F"]) -> None:
    rows = np.array(ROWS, dtype=dtype, order=order)
    value = {b"data": rows, b"labels": [2, 0, 1], b"name": b"x\xff"}
    path = write(tmp_path, pickle.dumps(value, protocol=protocol))
    fields = restricted_pickle.read(path)
    data = fields[b"data"]
    assert isinstance(data, np.ndarray)
    assert np.array_equal(data, rows)
    assert fields[b"labels"] == [2, 0, 1]
    assert fields[b"name"] == b"x\xff"


def test_a_batch_of_python_2_comes_back_with_bytes(tmp_path: Path) -> None:
    fields = restricted_pickle.read(write(tmp_path, PYTHON_2_BATCH))
    assert set(fields) == {b"data", b"labels"}
    data = fields[b"data"]
    assert isinstance(data, np.ndarray)
    assert data.dtype == np.uint8
    assert np.array_equal(data, ROWS)


class Calls:
    """An object whose pickle calls `function` on `values`."""

    def __init__(self, function: Callable[..., object], *values: object) -> None:
        self.reduced = function, values

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.reduced


@pytest.mark.parametrize(
    ("function", "name"),
    [(os.system, "posix.system|nt.system"), (eval, "builtins.eval"), (subprocess.Popen, "subprocess.Popen")],
)
def test_a_malicious_pickle_is_refused_by_name_and_does_nothing(
    tmp_path: Path, function: Callable[..., object], name: str
) -> None:
    victim = tmp_path / "victim"
    path = write(tmp_path, pickle.dumps({b"data": Calls(function, f"touch {victim}")}, protocol=4))
    with pytest.raises(ValueError, match=f"asks for .*({name}).* refused") as caught:
        restricted_pickle.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not victim.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps([1, 2]), "holds a list, not a dict"),
        (pickle.dumps({b"data": np.array([{}], dtype=object)}), "array of 'O8'"),
        (b"cnumpy\nndarray\n(I1099511627776\ntR.", "array of a claimed size"),
        (b"(dVdata\ncnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntVb\ntRs.", "without a state"),
        (b"c_codecs\nencode\n(Vx\nVrot13\ntR.", "encodes text as"),
        (b"c_codecs\nencode\n}Vattribute\nI1\nsb.", "sets attributes"),
        (b"", "Ran out of input"),
        (b"not a pickle", "is not a pickle"),
    ],
)
def test_other_content_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        restricted_pickle.read(write(tmp_path, content))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("num_bytes", range(0, len(PYTHON_2_BATCH), 7))
def test_a_truncated_pickle_is_a_value_error(tmp_path: Path, num_bytes: int) -> None:
    with pytest.raises(ValueError, match="data_batch_1 is not a pickle"):
        restricted_pickle.read(write(tmp_path, PYTHON_2_BATCH[:num_bytes]))


def test_an_array_with_fewer_bytes_than_it_claims_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot reshape"):
        restricted_pickle.read(write(tmp_path, PYTHON_2_BATCH.replace(b"K\x03K\x04\x86", b"K\x09K\x09\x86")))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, len(PYTHON_2_BATCH) - 1), flipped=st.integers(1, 255))
def test_an_altered_pickle_is_a_dict_or_a_value_error(tmp_path: Path, position: int, flipped: int) -> None:
    content = bytearray(PYTHON_2_BATCH)
    content[position] ^= flipped
    path = write(tmp_path, bytes(content))
    try:
        fields = restricted_pickle.read(path)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = f"{path}"
        assert isinstance(fields, dict)
    assert str(path) in refusal
    assert "\n" not in refusal
