"""A matrix of which only the values that are not zero are kept, row by row, as files hold it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_VALUES = 1 << 28
"""Values that a matrix may have when it is written out; what a file claims is checked before memory is taken."""


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Compressed sparse rows: row i has the values `data[a:b]` in the columns `indices[a:b]`, a, b = `indptr[i:i + 2]`.

    Attributes:
        shape: rows and columns.
        indptr: where each row begins and the last one ends, `(num_rows + 1,)`.
        indices: the columns of the values, `(num_values,)`.
        data: the values, `(num_values,)`.

    Raises:
        ValueError: the parts do not go together.
    """

    shape: tuple[int, int]
    indptr: NDArray[Any]
    indices: NDArray[Any]
    data: NDArray[Any]

    def __post_init__(self) -> None:
        num_rows, num_columns = self.shape
        if num_rows < 0 or num_columns < 0 or num_rows * num_columns > MAX_VALUES:
            raise ValueError(f"a sparse matrix of {self.shape}; at most {MAX_VALUES} values are read")
        if self.indptr.dtype.kind not in "iu" or self.indices.dtype.kind not in "iu":
            raise ValueError("a sparse matrix with places that are not whole numbers")
        if self.indptr.shape != (num_rows + 1,) or not len(self.indices) == len(self.data) == self.indptr[-1]:
            raise ValueError("a sparse matrix whose rows and values are not as many as it says")
        if self.indptr[0] != 0 or (self._row_lengths() < 0).any():
            raise ValueError("a sparse matrix whose rows do not follow each other")
        if self.indices.ndim != 1 or ((self.indices < 0) | (self.indices >= num_columns)).any():
            raise ValueError("a sparse matrix with values beside its columns")

    def dense(self) -> NDArray[np.float32]:
        """Return the matrix `(num_rows, num_columns)`; values in the same place add up."""
        written = np.zeros(self.shape, dtype=np.float32)
        rows = np.repeat(np.arange(self.shape[0]), self._row_lengths())
        np.add.at(written, (rows, self.indices), self.data.astype(np.float32))
        return written

    def _row_lengths(self) -> NDArray[np.int64]:
        bounds = self.indptr.astype(np.int64)
        return bounds[1:] - bounds[:-1]
