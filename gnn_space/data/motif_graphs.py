"""Graphs of two parts: a base of any size and a small motif that hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Pairs = NDArray[np.int64]
"""Edges without direction `(num_pairs, 2)`."""

SMALLEST_BASE = 4


def wheel(num_nodes: int) -> Pairs:
    """Return a ring around a hub."""
    rim = np.arange(1, num_nodes)
    return np.concatenate([np.stack([np.zeros_like(rim), rim], 1), np.stack([rim, np.roll(rim, -1)], 1)])


def tree(num_nodes: int) -> Pairs:
    """Return a binary tree whose levels are filled one after the other."""
    child = np.arange(1, num_nodes)
    return np.stack([(child - 1) // 2, child], 1)


def ladder(num_nodes: int) -> Pairs:
    """Return two rails with rungs, of which an odd last node makes a half."""
    rungs = np.arange(0, num_nodes - 1, 2)
    rails = np.arange(num_nodes - 2)
    return np.concatenate([np.stack([rungs, rungs + 1], 1), np.stack([rails, rails + 2], 1)])


def star(num_nodes: int) -> Pairs:
    """Return a hub with rays."""
    rays = np.arange(1, num_nodes)
    return np.stack([np.zeros_like(rays), rays], 1)


def path(num_nodes: int) -> Pairs:
    """Return a line."""
    nodes = np.arange(num_nodes - 1)
    return np.stack([nodes, nodes + 1], 1)


BASES: Mapping[str, Callable[[int], Pairs]] = MappingProxyType(
    {"wheel": wheel, "tree": tree, "ladder": ladder, "star": star, "path": path}
)

MOTIF_NODES = 5
MOTIFS: Mapping[str, tuple[tuple[int, int], ...]] = MappingProxyType(
    {
        "house": ((0, 1), (1, 2), (2, 3), (3, 0), (1, 4), (2, 4)),
        "cycle": ((0, 1), (1, 2), (2, 3), (3, 4), (4, 0)),
        "crane": ((0, 1), (0, 3), (2, 1), (2, 3), (4, 1), (4, 3)),
        "bull": ((0, 1), (1, 2), (2, 0), (1, 3), (2, 4)),
        "butterfly": ((0, 1), (1, 2), (2, 0), (2, 3), (3, 4), (4, 2)),
        "banner": ((0, 1), (1, 2), (2, 3), (3, 0), (2, 4)),
    }
)
"""Graphs of five nodes, of which node 0 has two neighbors and is the one that is tied to the base.

House and crane (the complete bipartite graph of 2 and 3 nodes) have the same degrees."""


def hung(base: Pairs, num_base_nodes: int, motif: Sequence[tuple[int, int]], place: int) -> Pairs:
    """Return a base with a motif after its nodes, whose node 0 is tied to the node `place` of the base."""
    return np.concatenate([base, np.array(motif) + num_base_nodes, [[place, num_base_nodes]]])


def with_random_edges(pairs: Pairs, num_nodes: int, num_random: int, generator: np.random.Generator) -> Pairs:
    """Return the edges and further ones between nodes that had none, as many as there is room for.

    Args:
        pairs: edges.
        num_nodes: number of nodes.
        num_random: how many to add.
        generator: draws them.
    """
    present = np.zeros((num_nodes, num_nodes), dtype=bool)
    present[pairs[:, 0], pairs[:, 1]] = present[pairs[:, 1], pairs[:, 0]] = True
    free = np.argwhere(np.triu(~present, 1))
    drawn = generator.choice(len(free), size=min(num_random, len(free)), replace=False)
    return np.concatenate([pairs, free[drawn]])


def both_directions(pairs: Pairs) -> NDArray[np.int64]:
    """Return the edges `(2, num_edges)` in both directions, sorted by source, then target."""
    edges = np.concatenate([pairs, pairs[:, ::-1]]).astype(np.int64)
    return np.ascontiguousarray(edges[np.lexsort((edges[:, 1], edges[:, 0]))].T)
