"""Features for nodes that have none of their own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def constant(num_nodes: int) -> NDArray[np.float32]:
    """Return the one feature 1 for every node, `(num_nodes, 1)`."""
    return np.ones((num_nodes, 1), dtype=np.float32)


def degree(edge_index: NDArray[np.int64], num_nodes: int, max_degree: int) -> NDArray[np.float32]:
    """Return an indicator of each degree 0, 1, ..., `max_degree`, `(num_nodes, max_degree + 1)`.

    Args:
        edge_index: edges `(2, num_edges)`, both directions.
        num_nodes: number of nodes.
        max_degree: the last indicator, which means this many neighbors or more.
    """
    degrees = np.minimum(np.bincount(edge_index[1], minlength=num_nodes), max_degree)
    return np.eye(max_degree + 1, dtype=np.float32)[degrees]


def constant_names() -> tuple[str, ...]:
    """Return the name of the constant feature."""
    return ("constant",)


def degree_names(max_degree: int) -> tuple[str, ...]:
    """Return the names of the indicators of degrees."""
    return (*(f"degree {number}" for number in range(max_degree)), f"degree {max_degree} or more")
