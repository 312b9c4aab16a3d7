"""Classification of the nodes of one graph that was prepared as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch

    from gnn_space.data.description import Description
    from gnn_space.data.node_data import NodeSet
    from gnn_space.data.resident_graphs import ResidentGraphs
    from gnn_space.graph_batch import GraphBatch
    from nas_core.task import Shift

INPUTS = "nodes"


def build(
    folder: Path,
    *,
    test_folder: Path | None = None,
    device: str = "cpu",
    horizontal_flip: bool = False,
    statistics_folder: Path | None = None,
) -> NodeClassification:
    """Return the task of a prepared graph with labeled nodes, which is on the device.

    Args:
        folder: holds `dataset.json`, `graph.safetensors`, `train.safetensors` and `validation.safetensors`.
        test_folder: holds `test.safetensors`; without it the task has no test split.
        device: "cpu" or "cuda".
        horizontal_flip: must be off: graphs have no left and right.
        statistics_folder: its `dataset.json` says by which mean and standard deviation features are standardized; None
            is `folder`.

    Raises:
        FileNotFoundError: a file is absent.
        ValueError: a file is not of the prepared format, or the statistics are of nodes with other features.
    """
    import torch

    from gnn_space.data import description, node_storage
    from gnn_space.data.resident_graphs import resident

    if horizontal_flip:
        raise ValueError("prepare.horizontal_flip is true, but graphs cannot be mirrored; set it to false")
    described = description.read(folder, statistics_folder)
    place = torch.device(device)
    stored = node_storage.read_graph(folder / "graph.safetensors")
    if stored.num_node_features != described.num_node_features:
        raise ValueError(
            f"{folder} holds nodes with {stored.num_node_features} features, dataset.json says "
            f"{described.num_node_features}; {description.REMEDY}"
        )
    files = {split: folder / f"{split}.safetensors" for split in ("train", "validation")}
    if test_folder is not None:
        files["test"] = test_folder / "test.safetensors"
    splits = {split: node_storage.read_nodes(path, len(stored.x)) for split, path in files.items()}
    for split, nodes in splits.items():
        if nodes.labels.max() >= len(described.class_names):
            raise ValueError(
                f"{files[split]} has the label {nodes.labels.max()}, dataset.json {len(described.class_names)} "
                f"classes; {description.REMEDY}"
            )
    graph = resident(stored, described.feature_mean, described.feature_std, place)
    return NodeClassification(described, graph, splits, place)


def shift_names() -> tuple[str, ...]:
    """Return the names of all structural noises, without importing torch."""
    from gnn_space.shifts import suite

    return suite.names()


class NodeClassification:
    """Nodes of one graph, all of whose features and edges are known while training (transductive).

    A pass is one batch, the whole graph with the nodes of the split as those that are asked for: `batch_size` is
    ignored, since a node's output depends on its neighborhood and not on a batch. There is no training augmentation;
    `augment` is accepted and changes nothing.
    """

    metric = "accuracy"

    def __init__(
        self, description: Description, graph: ResidentGraphs, splits: Mapping[str, NodeSet], device: torch.device
    ) -> None:
        """Hold the one graph and the labeled nodes of each split."""
        import torch

        self.name = description.name
        self.class_names = description.class_names
        self.shape = TaskShape((description.num_node_features,), (len(description.class_names),))
        self.device = device
        self._whole, _ = next(graph.batches(1))
        self._splits = {
            split: (torch.tensor(nodes.nodes).to(device), torch.tensor(nodes.labels).to(device))
            for split, nodes in splits.items()
        }

    def num_examples(self, split: str) -> int:
        """Return the number of nodes of a split."""
        return len(self._split(split)[1])

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        """Yield (the whole graph, labels (nodes,)) once; see `Task.batches`.

        A fraction of n nodes is the first ceil(fraction n) of a fixed order in which every start has the classes in
        (nearly) their shares of the whole. A generator changes the order of the nodes that are asked for.

        Raises:
            ValueError: the task was built without the split, or is to augment without a generator.
        """
        from nas_core.data.stratified_order import order_of_pass

        nodes, labels = self._split(split)
        if augment and generator is None:
            raise ValueError("augment needs a generator; give a CPU generator, or augment=False")
        order = order_of_pass(labels, fraction, generator)
        if order is not None:
            order = order.to(self.device)
            nodes, labels = nodes[order], labels[order]
        yield self._asked_for(nodes), labels

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean cross entropy of logits (nodes, classes) and labels (nodes,)."""
        return self.smoothed_loss(outputs, targets, 0.0)

    def smoothed_loss(self, outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float) -> torch.Tensor:
        """Return the mean cross entropy to targets of which a share is spread evenly over all classes."""
        from nas_core.training import classification

        return classification.cross_entropy(outputs, targets, label_smoothing)

    def metrics(self, outputs: torch.Tensor, targets: torch.Tensor) -> Mapping[str, float]:
        """Return "accuracy" in 0..1 and "loss", the mean cross entropy, of logits (num, classes) and labels (num,)."""
        from nas_core.training import classification

        return classification.metrics(outputs, targets)

    def shifts(self, severity: int) -> Mapping[str, Shift]:
        """Return the structural noises by name, as they act on the whole graph."""
        from gnn_space.shifts import suite

        return suite.at_severity(severity)

    def shift_families(self) -> Mapping[str, str]:
        """Return the family of every structural noise: structure or features."""
        from gnn_space.shifts import suite

        return suite.families()

    def ineffective_shifts(self) -> Mapping[str, str]:
        """Return nothing: every noise has an effect on some graphs of any set."""
        return {}

    def published_shifts(self) -> tuple[str, ...]:
        """Return nothing: there is no published benchmark of structural noise."""
        return ()

    def perturbation_sizes(self, inputs: GraphBatch, shifted: GraphBatch) -> torch.Tensor:
        """Return the relative change of the graph's shift operator for each node; see `gnn_space.perturbation`."""
        from gnn_space.perturbation import perturbation_sizes

        return perturbation_sizes(inputs, shifted)

    def plain_features(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the nodes' own features (nodes, features) float64 and their labels, on the CPU: no edge is used."""
        nodes, labels = self._split(split)
        return self._whole.x[nodes].cpu().double(), labels.cpu()

    def shifted_batches(self, path: Path, batch_size: int) -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        """Yield (the whole graph, labels) of other nodes of the same graph, those of a prepared file, once.

        Raises:
            ValueError: the file is damaged, or has nodes that the graph has not.
        """
        import torch

        from gnn_space.data import node_storage

        other = node_storage.read_nodes(path, self._whole.num_nodes)
        yield self._asked_for(torch.tensor(other.nodes).to(self.device)), torch.tensor(other.labels).to(self.device)

    def _asked_for(self, nodes: torch.Tensor) -> GraphBatch:
        return replace(self._whole, target_nodes=nodes)

    def _split(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        if split not in self._splits:
            raise ValueError(
                f"this task was built without the split {split!r}; it has {', '.join(self._splits)}; "
                "a test split needs test_folder"
            )
        return self._splits[split]
