"""Graphs of the TU Dortmund collection: molecules, proteins, social networks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge, Gt, Lt

from nas_core.data.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gnn_space.data.graph_data import GraphData
    from gnn_space.data.graph_set import GraphSet
    from gnn_space.data.tu_files import TUFiles

LEARNING_TASK = "gnn_space.learning_tasks.graph_classification"
ADDRESS = "https://www.chrsmrrs.com/graphkerneldatasets"
COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
NodeFeatures = Literal["auto", "labels", "attributes", "degree", "constant"]


def load(
    folder: Path | None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    collection: str,
    node_features: NodeFeatures = "auto",
    max_degree: Annotated[int, Ge(1)] = 32,
    hold_out_largest: Annotated[float, Gt(0), Lt(1)] | None = None,
    only_largest: Annotated[float, Gt(0), Lt(1)] | None = None,
) -> GraphData:
    """Return a collection, such as ENZYMES, PROTEINS, NCI1, MUTAG or IMDB-BINARY; there is no official test part.

    The text files are read by torch-geometric's reader. Its `TUDataset` is not used, because it keeps a pickled copy
    of what it has read. The publisher states no checksum; a zip archive has its own.

    Source: Morris et al. 2020, "TUDataset", arXiv:2007.08663.

    Args:
        folder: the user's folder, which has or gets `TUDataset/COLLECTION/raw/*.txt`; None for the default one.
        download: whether the network may be used where they are absent.
        progress: called while downloading.
        collection: as the publisher calls it.
        node_features: "attributes" and "labels" as published, "auto" for both together or, where there are neither,
            "degree": indicators of the degree; "constant": 1 on every node.
        max_degree: of the indicators; the last means this many neighbors or more.
        hold_out_largest: this share of each class, those with most nodes, is kept out of everything and becomes the
            shifted set "size": train on small graphs, test on large ones.
        only_largest: this share of each class, those with most nodes, is all there is: as the second task of a set
            that has held them out, larger graphs of the same kind.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    from gnn_space.data import tu_files
    from gnn_space.data.graph_data import GraphData
    from gnn_space.data.graph_set import GraphSet
    from nas_core.data.download import PublishedFile
    from nas_core.data.published_folder import default_folder
    from nas_core.data.published_zip import unzipped

    if not COLLECTION.fullmatch(collection):
        raise ValueError(f"collection is {collection!r}; write a name of the TU collection, such as PROTEINS")
    if hold_out_largest is not None and only_largest is not None:
        raise ValueError(f"hold_out_largest is {hold_out_largest} and only_largest {only_largest}; give one of them")
    root = default_folder() if folder is None else folder
    archive = PublishedFile(f"{ADDRESS}/{collection}.zip", None)
    raw = root / "TUDataset" / collection / "raw"
    files = tu_files.read(unzipped(archive, collection, raw, download=download, progress=progress), collection)
    x, feature_names = _features(files, collection, node_features, max_degree)
    graphs = GraphSet(x, files.edge_index, files.sizes, files.num_edges, files.graph_labels)
    shifted: dict[str, GraphSet] = {}
    if hold_out_largest is not None:
        graphs, shifted["size"] = without_largest(graphs, hold_out_largest)
    if only_largest is not None:
        _, graphs = without_largest(graphs, only_largest)
    return GraphData(
        name=collection,
        class_names=tuple(f"class {label}" for label in range(int(files.graph_labels.max()) + 1)),
        train=graphs,
        test=None,
        shifted=shifted,
        license="no license stated; for research, with citation",
        source=f"{ADDRESS}/{collection}.zip",
        citation="C. Morris, N. M. Kriege, F. Bause, K. Kersting, P. Mutzel, M. Neumann (2020). TUDataset: a "
        "collection of benchmark datasets for learning with graphs. arXiv:2007.08663.",
        feature_names=feature_names,
    )


def without_largest(graphs: GraphSet, share: float) -> tuple[GraphSet, GraphSet]:
    """Return the graphs without a share of the largest of each class, and those; both in their order.

    Args:
        graphs: two or more of each class.
        share: of each class, rounded down, at least one graph; of equal ones the later are held out.
    """
    import numpy as np

    held = np.zeros(len(graphs), dtype=bool)
    for label in np.unique(graphs.labels):
        members = np.flatnonzero(graphs.labels == label)
        rising = members[np.argsort(graphs.sizes[members], kind="stable")]
        held[rising[-max(1, int(share * len(members))) :]] = True
    return graphs.take(np.flatnonzero(~held)), graphs.take(np.flatnonzero(held))


def _features(
    files: TUFiles, collection: str, kind: NodeFeatures, max_degree: int
) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Return features of the nodes `(num_nodes, num_features)` and their names."""
    import numpy as np

    from gnn_space.data import node_features

    num_nodes = len(files.attributes)
    published = {
        "attributes": (files.attributes, tuple(f"attribute {number}" for number in range(files.attributes.shape[1]))),
        "labels": (files.labels, tuple(f"label {number}" for number in range(files.labels.shape[1]))),
    }
    if kind in published:
        x, names = published[kind]
        if not names:
            raise ValueError(f"{collection} has no {kind} of nodes; write `node_features: degree`, or auto")
        return x, names
    names = tuple(name for _, columns in published.values() for name in columns)
    if kind == "auto" and names:
        return np.concatenate([x for x, _ in published.values()], axis=1), names
    if kind == "constant":
        return node_features.constant(num_nodes), node_features.constant_names()
    return node_features.degree(files.edge_index, num_nodes, max_degree), node_features.degree_names(max_degree)
