"""The product of two sparse matrices, with gradients to the values of both."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gnn_space.stable_order import stable_order


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """Entries of a matrix.

    Attributes:
        rows: (num_entries,) int64.
        columns: (num_entries,) int64.
        values: (num_entries,); entries at the same place add up.
        shape: numbers of rows and columns.
    """

    rows: Tensor
    columns: Tensor
    values: Tensor
    shape: tuple[int, int]

    def transposed(self) -> SparseMatrix:
        """Return the transpose."""
        return SparseMatrix(self.columns, self.rows, self.values, (self.shape[1], self.shape[0]))

    def __matmul__(self, other: SparseMatrix) -> SparseMatrix:
        """Return the product, one entry a place, by rows and then columns.

        Memory grows with the number of pairs of an entry (i, k) here and an entry (k, j) there. How many there are is
        asked of the device.
        """
        order = stable_order(other.rows)
        counts = torch.bincount(other.rows, minlength=other.shape[0])
        starts = counts.cumsum(0) - counts
        partners = counts.index_select(0, self.columns)
        total = int(partners.sum())
        left = torch.repeat_interleave(partners, output_size=total)
        first_pair = partners.cumsum(0) - partners
        place = torch.arange(total, device=left.device) - first_pair.index_select(0, left)
        right = order.index_select(0, starts.index_select(0, self.columns.index_select(0, left)) + place)
        values = self.values.index_select(0, left) * other.values.index_select(0, right)
        places = self.rows.index_select(0, left) * other.shape[1] + other.columns.index_select(0, right)
        # sorted first, which is faster on the CPU than how `unique` sorts
        rising = stable_order(places)
        distinct, which = torch.unique_consecutive(places.index_select(0, rising), return_inverse=True)
        added = values.new_zeros(len(distinct)).index_add(0, which, values.index_select(0, rising))
        rows = torch.div(distinct, max(other.shape[1], 1), rounding_mode="floor")
        return SparseMatrix(rows, distinct - rows * other.shape[1], added, (self.shape[0], other.shape[1]))
