"""Read prepared nodes and the graph that they are of."""

from __future__ import annotations

from pathlib import Path

from gnn_space.data.graph_set import GraphSet
from gnn_space.data.node_data import GRAPH_TENSORS, NODE_TENSORS, NodeSet, whole_graph
from nas_core.data import tensor_file


def read_graph(path: Path) -> GraphSet:
    """Return the graph in a prepared file, its one label without a meaning.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else; the error is one line and names it.
    """
    tensors = tensor_file.read(path, GRAPH_TENSORS)
    try:
        return whole_graph(tensors["x"], tensors["edge_index"])
    except (ValueError, IndexError) as error:
        raise ValueError(f"{path} holds no graph ({error}); {tensor_file.REMEDY}") from error


def read_nodes(path: Path, num_nodes: int) -> NodeSet:
    """Return the labeled nodes in a prepared file.

    Args:
        path: the file.
        num_nodes: of the graph that they are of.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else; the error is one line and names it.
    """
    tensors = tensor_file.read(path, NODE_TENSORS)
    try:
        nodes = NodeSet(tensors["nodes"], tensors["labels"])
    except ValueError as error:
        raise ValueError(f"{path} holds no labeled nodes ({error}); {tensor_file.REMEDY}") from error
    if nodes.nodes.max() >= num_nodes:
        raise ValueError(f"{path} has the node {nodes.nodes.max()} of {num_nodes}; {tensor_file.REMEDY}")
    return nodes
