"""Sparse matrices and dicts of lists come out of pickles; what their parts claim is checked."""

from __future__ import annotations

import pickle
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from nas_core.data import restricted_pickle
from nas_core.data.sparse_rows import SparseRows

MATRIX = np.array([[0, 2, 0], [0, 0, 0], [1, 0, 3]], dtype=np.float32)


def write(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "ind.cora.x"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
def test_a_sparse_matrix_comes_back_written_out(tmp_path: Path, protocol: int) -> None:
    path = write(tmp_path, pickle.dumps(csr_matrix(MATRIX), protocol=protocol))
    if protocol < 2:
        # older protocols rebuild objects by a function of copyreg
        with pytest.raises(ValueError, match=r"asks for copy_?reg\._reconstructor"):
            restricted_pickle.read_array(path)
        return
    assert np.array_equal(restricted_pickle.read_array(path), MATRIX)


def test_arrays_and_dicts_of_lists_come_back(tmp_path: Path) -> None:
    assert np.array_equal(restricted_pickle.read_array(write(tmp_path, pickle.dumps(MATRIX, 2))), MATRIX)
    neighbors = defaultdict(list, {0: [1, 2], 1: []})
    assert restricted_pickle.read_value(write(tmp_path, pickle.dumps(neighbors, 2))) == {0: [1, 2], 1: []}
    with pytest.raises(ValueError, match="holds a dict"):
        restricted_pickle.read_array(write(tmp_path, pickle.dumps({}, 2)))


def test_lists_are_not_made_by_calls(tmp_path: Path) -> None:
    for content, reason in (
        (b"c__builtin__\nlist\n(tR.", "makes a list by a call"),
        (b"ccollections\ndefaultdict\n(I1\ntR.", "entries of an unusual kind"),
        (b"cscipy.sparse.csr\ncsr_matrix\n}Vparts\nI1\nsb.", "is not a pickle"),
        (b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81.", "without a shape"),
        (b"\x80\x02cscipy.sparse.csr\ncsr_matrix\n)\x81I1\nb.", "in an unknown way"),
    ):
        with pytest.raises(ValueError, match=reason) as caught:
            restricted_pickle.read_array(write(tmp_path, content))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"shape": (3, 1 << 40)}, "at most"),
        ({"shape": (-3, 3)}, "at most"),
        ({"shape": (2, 3)}, "not as many"),
        ({"shape": (3, 2)}, "beside its columns"),
        ({"indptr": np.array([0, 2, 1, 3])}, "do not follow"),
        ({"indptr": np.array([1, 1, 1, 3])}, "do not follow"),
        ({"indptr": np.array([0.0, 1, 1, 3])}, "not whole numbers"),
        ({"indices": np.array([1, 0, -1])}, "beside its columns"),
        ({"data": np.array([1.0])}, "not as many"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(change: dict[str, Any], reason: str) -> None:
    parts: dict[str, Any] = {
        "shape": (3, 3),
        "indptr": np.array([0, 1, 1, 3]),
        "indices": np.array([1, 0, 2]),
        "data": np.array([2.0, 1, 3]),
    }
    assert np.array_equal(SparseRows(**parts).dense(), MATRIX)
    with pytest.raises(ValueError, match=reason):
        SparseRows(**{**parts, **change})


PICKLED = pickle.dumps(csr_matrix(MATRIX), protocol=2)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(position=st.integers(0, len(PICKLED) - 1), flipped=st.integers(1, 255))
def test_an_altered_pickle_is_a_matrix_or_a_value_error(tmp_path: Path, position: int, flipped: int) -> None:
    content = bytearray(PICKLED)
    content[position] ^= flipped
    path = write(tmp_path, bytes(content))
    try:
        matrix = restricted_pickle.read_array(path)
    except ValueError as error:
        refusal = str(error)
    else:
        refusal = f"{path}"
        assert isinstance(matrix, np.ndarray)
    assert str(path) in refusal
    assert "\n" not in refusal


@pytest.mark.parametrize("num_bytes", range(0, len(PICKLED), 11))
def test_a_truncated_pickle_is_a_value_error(tmp_path: Path, num_bytes: int) -> None:
    with pytest.raises(ValueError, match="is not a pickle"):
        restricted_pickle.read_array(write(tmp_path, PICKLED[:num_bytes]))
