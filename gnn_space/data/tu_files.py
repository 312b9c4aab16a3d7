"""Read the text files of the TU Dortmund collection by torch-geometric's reader, without its processed copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

REMEDY = "restore the folder from its publisher"
NEEDED = ("A", "graph_indicator", "graph_labels")


@dataclass(frozen=True, eq=False)
class TUFiles:
    """What the files of a collection hold.

    Attributes:
        attributes: real features of the nodes, float32, `(num_nodes, num_attributes)`; possibly no column.
        labels: indicators of the classes of nodes, float32, `(num_nodes, num_node_classes)`; possibly no column.
        edge_index: int64, `(2, num_edges)`, numbered through all nodes, both directions, sorted by source.
        sizes: nodes of each graph, int64, `(num_graphs,)`.
        num_edges: edges of each graph, int64, `(num_graphs,)`.
        graph_labels: int64, `(num_graphs,)`, counted from 0 in the order of the published numbers.
    """

    attributes: NDArray[np.float32]
    labels: NDArray[np.float32]
    edge_index: NDArray[np.int64]
    sizes: NDArray[np.int64]
    num_edges: NDArray[np.int64]
    graph_labels: NDArray[np.int64]


def read(folder: Path, collection: str) -> TUFiles:
    """Return what `folder/COLLECTION_*.txt` hold; labels and attributes of edges are left out.

    Self-loops and repeated edges are dropped, as torch-geometric does. Source of the format: Morris et al. 2020,
    "TUDataset", arXiv:2007.08663.

    Raises:
        FileNotFoundError: a file is absent.
        ValueError: a file is damaged or does not go with the others; one line.
    """
    for name in NEEDED:
        path = folder / f"{collection}_{name}.txt"
        if not path.is_file():
            raise FileNotFoundError(f"{path} is absent although its folder is there; {REMEDY}")
    try:
        return _read(folder, collection)
    except (ValueError, IndexError, RuntimeError, KeyError, AssertionError, OverflowError, UnicodeDecodeError) as error:
        # torch-geometric's reader checks nothing, so that a damaged file raises whatever it happens to run into
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{folder} holds damaged files of {collection} ({reason}); {REMEDY}") from error


def _read(folder: Path, collection: str) -> TUFiles:
    import torch
    from torch_geometric.io import read_tu_data

    graph_of_node = np.loadtxt(folder / f"{collection}_graph_indicator.txt", dtype=np.int64, ndmin=1) - 1
    if graph_of_node.min() < 0 or (np.diff(graph_of_node) < 0).any():
        raise ValueError("the nodes of a graph are not side by side")
    data, slices, columns = read_tu_data(str(folder), collection)
    num_nodes, sizes = len(graph_of_node), np.bincount(graph_of_node)
    num_edges = np.diff(slices["edge_index"].numpy())
    begin = np.cumsum(sizes) - sizes
    labels, x = data.y, data.x
    if not isinstance(labels, torch.Tensor) or not len(num_edges) <= len(sizes) == len(labels):
        raise ValueError(f"{len(sizes)} graphs have nodes, and their edges or labels are not as many")
    # the reader counts edges up to the last graph that has any
    num_edges = np.concatenate([num_edges, np.zeros(len(sizes) - len(num_edges), dtype=np.int64)])
    local = np.asarray(data.edge_index, dtype=np.int64)
    edge_index = _both_directions(local + np.repeat(begin, num_edges), num_nodes)
    features = np.zeros((num_nodes, 0), dtype=np.float32) if x is None else x.numpy()
    if len(features) != num_nodes:
        raise ValueError(f"{num_nodes} nodes have {len(features)} features")
    num_attributes = columns["num_node_attributes"]
    return TUFiles(
        attributes=features[:, :num_attributes].astype(np.float32),
        labels=features[:, num_attributes:].astype(np.float32),
        edge_index=edge_index,
        sizes=sizes.astype(np.int64),
        num_edges=np.bincount(graph_of_node[edge_index[0]], minlength=len(sizes)),
        graph_labels=labels.numpy().astype(np.int64),
    )


def _both_directions(edge_index: NDArray[np.int64], num_nodes: int) -> NDArray[np.int64]:
    """Return the edges and their reverses, each once, sorted by source, then target."""
    keys = np.unique(
        np.concatenate([edge_index[0] * num_nodes + edge_index[1], edge_index[1] * num_nodes + edge_index[0]])
    )
    return np.stack([keys // num_nodes, keys % num_nodes])
