"""Features for nodes that have none of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gnn_space.data.graph_set import GraphSet


def constant(graphs: GraphSet) -> GraphSet:
    """Return the graphs with the one feature 1 on every node."""
    return replace(graphs, x=np.ones((len(graphs.x), 1), dtype=np.float32))


def degree(graphs: GraphSet, max_degree: int) -> GraphSet:
    """Return the graphs with an indicator of each degree 0, 1, ..., `max_degree`, the last also of all above.

    Args:
        graphs: their features do not matter.
        max_degree: the number of features less one.
    """
    degrees = np.minimum(np.bincount(graphs.edge_index[1], minlength=len(graphs.x)), max_degree)
    return replace(graphs, x=np.eye(max_degree + 1, dtype=np.float32)[degrees])


def constant_names() -> tuple[str, ...]:
    """Return the name of the constant feature."""
    return ("constant",)


def degree_names(max_degree: int) -> tuple[str, ...]:
    """Return the names of the indicators of degrees."""
    return (*(f"degree {number}" for number in range(max_degree)), f"degree {max_degree} or more")
