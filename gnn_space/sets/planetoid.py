"""Citation networks of Planetoid: papers are nodes, their topics the classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

from nas_core.data.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gnn_space.data.node_data import NodeData
    from gnn_space.data.planetoid_files import PlanetoidFiles

LEARNING_TASK = "gnn_space.learning_tasks.node_classification"
ADDRESS = "https://raw.githubusercontent.com/kimiyoung/planetoid/master/data"
PUBLIC_VALIDATION_NODES = 500


def load(
    folder: Path | None,
    *,
    download: bool = True,
    progress: Progress | None = None,
    collection: Literal["Cora", "CiteSeer", "PubMed"],
    split: Literal["public", "random"] = "public",
    train_per_class: Annotated[int, Ge(1)] = 20,
    num_validation: Annotated[int, Ge(1)] = 500,
    num_test: Annotated[int, Ge(1)] = 1000,
    row_normalized: bool = True,
    seed: Annotated[int, Ge(0)] = 0,
) -> NodeData:
    """Return a graph of papers that cite each other, with training, validation and test nodes.

    The public split (Yang, Cohen and Salakhutdinov 2016, arXiv:1603.08861) has 20 training nodes of each class, 500
    validation and 1,000 test nodes. A random split has the numbers given, drawn as Shchur et al. 2018,
    arXiv:1811.05868, propose, since rankings by the public split alone do not last. The publisher states no checksums.

    Args:
        folder: the user's folder, which has or gets `Planetoid/COLLECTION/raw/ind.*`; None for the default one.
        download: whether the network may be used where a file is absent.
        progress: called while downloading.
        collection: which graph.
        split: the public one, or a random one.
        train_per_class: training nodes of each class of a random split.
        num_validation: validation nodes of a random split.
        num_test: test nodes of a random split.
        row_normalized: divide the features of each node by their sum (Kipf & Welling 2017, arXiv:1609.02907).
        seed: of a random split.

    Raises:
        FileNotFoundError, ConnectionError, ValueError, OSError: in one line, with what to do.
    """
    from gnn_space.data import planetoid_files
    from gnn_space.data.node_data import NodeData, NodeSet
    from nas_core.data.download import PublishedFile, fetch
    from nas_core.data.published_folder import default_folder

    raw = (default_folder() if folder is None else folder) / "Planetoid" / collection / "raw"
    paths = {
        part: fetch(
            PublishedFile(f"{ADDRESS}/ind.{collection.lower()}.{part}", None), raw, download=download, progress=progress
        )
        for part in planetoid_files.PARTS
    }
    files = planetoid_files.read(paths)
    if split == "public":
        nodes = _public(files)
    else:
        nodes = _random(files.labels, train_per_class, num_validation, num_test, seed)
    parts = {name: NodeSet(members, files.labels[members]) for name, members in nodes.items()}
    return NodeData(
        name=collection,
        class_names=tuple(f"class {label}" for label in range(int(files.labels.max()) + 1)),
        x=_row_normalized(files.x) if row_normalized else files.x,
        edge_index=files.edge_index,
        train=parts["train"],
        validation=parts["validation"],
        test=parts["test"],
        license="no license stated; for research, with citation",
        source="https://github.com/kimiyoung/planetoid",
        citation="Z. Yang, W. W. Cohen, R. Salakhutdinov (2016). Revisiting semi-supervised learning with graph "
        "embeddings. ICML. arXiv:1603.08861. P. Sen et al. (2008). Collective classification in network data.",
    )


def _public(files: PlanetoidFiles) -> dict[str, NDArray[np.int64]]:
    import numpy as np

    stop = files.num_train + PUBLIC_VALIDATION_NODES
    return {
        "train": np.arange(files.num_train),
        "validation": np.arange(files.num_train, stop),
        "test": np.sort(files.test_nodes),
    }


def _random(
    labels: NDArray[np.int64], train_per_class: int, num_validation: int, num_test: int, seed: int
) -> dict[str, NDArray[np.int64]]:
    """Return the nodes of each part, rising; nodes without a label are in none."""
    import numpy as np

    from nas_core.randomness import Streams

    shuffled = Streams(seed).child("planetoid").numpy("split").permutation(np.flatnonzero(labels >= 0))
    train = []
    for label in range(int(labels.max()) + 1):
        members = shuffled[labels[shuffled] == label]
        if len(members) < train_per_class:
            raise ValueError(f"train_per_class is {train_per_class}, class {label} has {len(members)} nodes; lower it")
        train.append(members[:train_per_class])
    chosen = np.concatenate(train)
    rest = shuffled[~np.isin(shuffled, chosen)]
    if num_validation + num_test > len(rest):
        raise ValueError(
            f"num_validation and num_test are {num_validation} and {num_test}, {len(rest)} nodes are left; lower them"
        )
    return {
        "train": np.sort(chosen),
        "validation": np.sort(rest[:num_validation]),
        "test": np.sort(rest[num_validation : num_validation + num_test]),
    }


def _row_normalized(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the features of each node divided by their sum; a row of zeros stays."""
    sums = x.sum(axis=1, keepdims=True)
    sums[sums == 0] = 1
    normalized: NDArray[np.float32] = x / sums
    return normalized
