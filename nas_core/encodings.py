"""Encodings: what an architecture looks like to a predictor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nas_core.architecture import Architecture, Choice, active
from nas_core.screen import Screen
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


def one_hot_with_scores(choices: Sequence[Choice], screen: Screen, architectures: Sequence[Architecture]) -> Array:
    """Return the options one-hot, then the cheap scores, and a bit that says whether these failed.

    A score s stands as sign(s) log(1 + |s|), by which numbers of parameters and correlations have alike ranges; what
    failed has zeros.

    Args:
        choices: of the space.
        screen: gives the scores.
        architectures: members, at least one.

    Returns:
        (num_architectures, number of options + number of scores + 1).
    """
    keys = screen.rank_keys(architectures)
    scores = np.zeros((len(architectures), screen.num_objectives + 1))
    for row, key in zip(scores, keys, strict=True):
        if key is None:
            row[-1] = 1.0
        else:
            # the excess over limits, which is the first of a key, says nothing that the scores do not
            row[:-1] = np.sign(key[1:]) * np.log1p(np.abs(key[1:]))
    return np.concatenate([one_hot(choices, architectures), scores], axis=1)


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
