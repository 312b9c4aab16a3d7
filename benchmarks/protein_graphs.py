"""Batches of graphs with the sizes of PROTEINS, its own or drawn like them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gnn_space.graph_batch import GraphBatch

MEAN_NODES, DEVIATION_OF_NODES, LARGEST = 39.06, 45.76, 620
MEAN_EDGES = 72.82


def batch(num_graphs: int, channels: int, size: int | None) -> GraphBatch:
    """Return graphs with random features, whose gradients are asked for.

    Args:
        num_graphs: how many; of PROTEINS at most 1,113.
        channels: features of a node.
        size: nodes of every graph; None: as PROTEINS has them.
    """
    import torch

    from gnn_space.graph_batch import graph_batch

    generator = np.random.default_rng(0)
    folder = real_folder()
    if size is not None:
        sizes = np.full(num_graphs, size)
        edges = _drawn_edges(sizes, generator)
    elif folder:
        sizes, edges = _real_graphs(folder, num_graphs, generator)
    else:
        sizes = _drawn_sizes(num_graphs, generator)
        edges = _drawn_edges(sizes, generator)
    x = generator.standard_normal((int(sizes.sum()), channels), dtype=np.float32)
    graphs = graph_batch(torch.from_numpy(x), torch.from_numpy(edges), torch.from_numpy(sizes))
    graphs.x.requires_grad_()
    return graphs


def _drawn_sizes(num_graphs: int, generator: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return log-normal sizes with the mean and the deviation of PROTEINS, from 4 to its largest."""
    variance = np.log1p((DEVIATION_OF_NODES / MEAN_NODES) ** 2)
    drawn = generator.lognormal(np.log(MEAN_NODES) - variance / 2, variance**0.5, num_graphs)
    return np.clip(np.round(drawn), 4, LARGEST).astype(np.int64)


def _drawn_edges(
    sizes: np.ndarray[Any, np.dtype[np.int64]], generator: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return a chain in each graph, and edges between nodes 2 to 6 places apart, as many a node as PROTEINS has."""
    num_nodes = int(sizes.sum())
    last = np.repeat(sizes.cumsum(), sizes)  # the first node of the next graph
    node = np.arange(num_nodes)
    # at the end of a graph about four nodes have no node that far on
    more = generator.random(num_nodes) < (MEAN_EDGES - MEAN_NODES + 1) / (MEAN_NODES - 4)
    other = np.where(more, node + generator.integers(2, 7, num_nodes), last)
    ends = np.concatenate((np.stack((node, node + 1)), np.stack((node, other))), axis=1)
    ends = ends[:, ends[1] < np.concatenate((last, last))]
    return np.concatenate((ends, ends[::-1]), axis=1)


def real_folder() -> Path | None:
    """Return the folder of PROTEINS below `NAS_DATA_ROOT`; None where it is not there."""
    root = os.environ.get("NAS_DATA_ROOT")
    folder = Path(root or "") / "TUDataset" / "PROTEINS" / "raw"
    return folder if root and folder.is_dir() else None


@functools.cache
def _real_set(folder: Path) -> tuple[Any, Any]:
    graph = np.loadtxt(folder / "PROTEINS_graph_indicator.txt", dtype=np.int64) - 1
    return graph, np.loadtxt(folder / "PROTEINS_A.txt", delimiter=",", dtype=np.int64).T - 1


def _real_graphs(folder: Path, num_graphs: int, generator: np.random.Generator) -> tuple[Any, Any]:
    """Return sizes and edges of some graphs of PROTEINS, which are its first after it has been shuffled."""
    graph, edges = _real_set(folder)
    sizes = np.bincount(graph)
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[generator.permutation(len(sizes))[:num_graphs]] = True
    number = np.where(chosen[graph], np.cumsum(chosen[graph]) - 1, -1)
    found = number[edges]
    return sizes[chosen], np.ascontiguousarray(found[:, (found >= 0).all(0)])
