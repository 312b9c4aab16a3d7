"""Positions of consecutive blocks, for taking whole graphs out of flat arrays without a loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each of the blocks that follow each other begins `(num_blocks,)`."""
    ends: NDArray[np.int64] = np.cumsum(lengths, dtype=np.int64)
    return ends - lengths


def positions(begin: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return `begin[0], begin[0] + 1, ...` of each block, block after block.

    Args:
        begin: the first position of each block `(num_blocks,)`.
        lengths: the positions in each block `(num_blocks,)`.
    """
    moved: NDArray[np.int64] = np.repeat(begin - starts(lengths), lengths)
    return moved + np.arange(len(moved), dtype=np.int64)
