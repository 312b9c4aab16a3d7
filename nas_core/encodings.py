"""Encodings: what an architecture looks like to a predictor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_core.architecture import Architecture, Choice, active
from nas_core.space import HasCellGraph, HasFeatureTensor, HasPathEncoding

Array = NDArray[np.float64]


def one_hot(choices: Sequence[Choice], architectures: Sequence[Architecture]) -> Array:
    """Return a bit for each option of each choice: whether it is chosen; all 0 for a choice that does not matter.

    Args:
        choices: of the space.
        architectures: its members.

    Returns:
        (num_architectures, total number of options), the options in the order of the choices.
    """
    starts = np.cumsum([0, *(len(choice.options) for choice in choices)])
    features = np.zeros((len(architectures), int(starts[-1])))
    for row, architecture in zip(features, architectures, strict=True):
        flags = active(choices, architecture.decisions)
        for start, decision, matters in zip(starts[:-1], architecture.decisions, flags, strict=True):
            row[start + decision] = matters
    return features


def paths(space: HasPathEncoding, architectures: Sequence[Architecture], num_paths: int | None = None) -> Array:
    """Return the path encoding (White et al. 2021, arXiv:1910.11858): a bit for each path from input to output.

    Args:
        space: what knows the paths; it lists shorter ones first.
        architectures: its members, at least one.
        num_paths: how many bits to keep, the shortest paths first (the truncated encoding); None keeps all.

    Returns:
        (num_architectures, num_paths).
    """
    rows = [list(space.path_encoding(architecture))[:num_paths] for architecture in architectures]
    return np.array(rows, dtype=np.float64)


def tensors(space: HasFeatureTensor, architectures: Sequence[Architecture]) -> Array:
    """Return the feature tensors (Xu et al. 2021, arXiv:1910.01523), (num_architectures, channels, height, width).

    Args:
        space: what knows them.
        architectures: its members, at least one.
    """
    return np.array([space.feature_tensor(architecture) for architecture in architectures], dtype=np.float64)


def graphs(space: HasCellGraph, architectures: Sequence[Architecture]) -> Array:
    """Return the cell graphs, (num_architectures, num_vertices, num_vertices + num_labels).

    Args:
        space: what knows them.
        architectures: its members, at least one.
    """
    return np.array([space.cell_graph(architecture) for architecture in architectures], dtype=np.float64)


def adjacency(space: HasCellGraph, architectures: Sequence[Architecture]) -> Array:
    """Return the cell graphs as vectors: adjacency matrix and one-hot labels, row by row.

    Args:
        space: what knows the graphs.
        architectures: its members, at least one.
    """
    return graphs(space, architectures).reshape(len(architectures), -1)
