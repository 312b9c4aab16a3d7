"""Keep graphs in one safetensors file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gnn_space.data.graph_set import TENSOR_NAMES, GraphSet
from nas_core.data import tensor_file


def write(path: Path, graphs: GraphSet) -> None:
    """Write graphs to `path` atomically; equal sets give equal bytes.

    The file has `x` float32 `(num_nodes, num_features)` and, all int64, `edge_index` `(2, num_edges)` numbered through
    the file, `sizes`, `num_edges` and `labels` `(num_graphs,)`.

    Raises:
        OSError: the file system refused; an old file is intact.
    """
    tensor_file.write(path, graphs.tensors)


def read(path: Path) -> GraphSet:
    """Return the graphs that `write` put into `path`.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or holds something else; the error is one line and names it.
    """
    tensors: dict[str, NDArray[Any]] = tensor_file.read(path, TENSOR_NAMES)
    try:
        return GraphSet(**tensors)
    except ValueError as error:
        raise ValueError(f"{path} holds no set of graphs ({error}); {tensor_file.REMEDY}") from error
