"""Classification of graphs that were prepared as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nas_core.task import TaskShape

if TYPE_CHECKING:
    import torch

    from gnn_space.data.description import Description
    from gnn_space.data.resident_graphs import ResidentGraphs
    from gnn_space.graph_batch import GraphBatch
    from nas_core.task import Shift

INPUTS = "graphs"


def build(
    folder: Path,
    *,
    test_folder: Path | None = None,
    device: str = "cpu",
    horizontal_flip: bool = False,
    statistics_folder: Path | None = None,
) -> GraphClassification:
    """Return the task of prepared graphs, which are on the device.

    Args:
        folder: holds `dataset.json`, `train.safetensors` and `validation.safetensors`.
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

    from gnn_space.data import description

    if horizontal_flip:
        raise ValueError("prepare.horizontal_flip is true, but graphs cannot be mirrored; set it to false")
    described = description.read(folder, statistics_folder)
    place = torch.device(device)
    files = {split: folder / f"{split}.safetensors" for split in ("train", "validation")}
    if test_folder is not None:
        files["test"] = test_folder / "test.safetensors"
    splits = {split: _read(path, described, place) for split, path in files.items()}
    for split, graphs in splits.items():
        if int(graphs.labels.max()) >= len(described.class_names):
            raise ValueError(
                f"{files[split]} has the label {int(graphs.labels.max())}, dataset.json {len(described.class_names)} "
                f"classes; {description.REMEDY}"
            )
    return GraphClassification(described, splits, place)


def shift_names() -> tuple[str, ...]:
    """Return the names of all structural noises, without importing torch."""
    from gnn_space.shifts import suite

    return suite.names()


class GraphClassification:
    """Graphs as flat tensors on the device, their features standardized by those of the training nodes.

    There is no training augmentation: dropped edges or masked features change the label of some graphs, and they are
    what robustness is measured by. `augment` is accepted and changes nothing.
    """

    metric = "accuracy"

    def __init__(self, description: Description, splits: Mapping[str, ResidentGraphs], device: torch.device) -> None:
        """Hold splits whose features are standardized as the description says."""
        self.name = description.name
        self.class_names = description.class_names
        self.shape = TaskShape((description.num_node_features,), (len(description.class_names),))
        self.device = device
        self._description = description
        self._splits = dict(splits)

    def num_examples(self, split: str) -> int:
        """Return the number of graphs of a split."""
        return len(self._split(split))

    def batches(
        self,
        split: str,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        fraction: float = 1.0,
        augment: bool = False,
    ) -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        """Yield (graphs, labels (batch,)), one pass; see `Task.batches`.

        A fraction of n graphs is the first ceil(fraction n) of a fixed order in which every start has the classes in
        (nearly) their shares of the whole.

        Raises:
            ValueError: the task was built without the split, or is to augment without a generator.
        """
        from nas_core.data.stratified_order import order_of_pass

        graphs = self._split(split)
        if augment and generator is None:
            raise ValueError("augment needs a generator; give a CPU generator, or augment=False")
        order = order_of_pass(graphs.labels, fraction, generator)
        taken = graphs if order is None else graphs.take(order)
        yield from taken.batches(batch_size)

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Return the mean cross entropy of logits (batch, classes) and labels (batch,)."""
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
        """Return the structural noises by name, as they act on standardized graphs."""
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
        """Return the relative change of the shift operator of each graph; see `gnn_space.perturbation`."""
        from gnn_space.perturbation import perturbation_sizes

        return perturbation_sizes(inputs, shifted)

    def plain_features(self, split: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return counts, degrees and mean features of the graphs, and the labels, on the CPU; see `graph_features`."""
        from gnn_space.data.graph_features import graph_features

        graphs = self._split(split)
        return graph_features(graphs), graphs.labels.cpu()

    def shifted_batches(self, path: Path, batch_size: int) -> Iterator[tuple[GraphBatch, torch.Tensor]]:
        """Yield (graphs, labels) of a prepared file, standardized like the task's own, with classes of its own.

        Raises:
            ValueError: the file is damaged, or its nodes have another number of features.
        """
        yield from _read(path, self._description, self.device).batches(batch_size)

    def _split(self, split: str) -> ResidentGraphs:
        if split not in self._splits:
            raise ValueError(
                f"this task was built without the split {split!r}; it has {', '.join(self._splits)}; "
                "a test split needs test_folder"
            )
        return self._splits[split]


def _read(path: Path, described: Description, device: torch.device) -> ResidentGraphs:
    from gnn_space.data import description, storage
    from gnn_space.data.resident_graphs import resident

    graphs = storage.read(path)
    if graphs.num_node_features != described.num_node_features:
        raise ValueError(
            f"{path} holds nodes with {graphs.num_node_features} features, dataset.json says "
            f"{described.num_node_features}; {description.REMEDY}"
        )
    return resident(graphs, described.feature_mean, described.feature_std, device)
