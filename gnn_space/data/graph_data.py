"""A loaded set of graphs with its classes, its official parts and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from gnn_space.data.graph_set import GraphSet
from gnn_space.data.statistics import feature_statistics, require_features
from nas_core.data import data_set


@dataclass(frozen=True, eq=False)
class GraphData:
    """A published or generated set of graphs.

    Attributes:
        name: what the set is called, such as "PROTEINS".
        class_names: the name of each class, by label.
        train: the graphs to learn from; absent official parts are split from them.
        test: the official test graphs, or None where there is no official split.
        license: the terms the graphs are published under.
        source: where they come from, usually a URL.
        citation: what to cite.
        feature_names: the name of each feature of a node.
        validation: the official validation graphs, or None.
        shifted: further test graphs of other distributions, by the name of the shift.

    Raises:
        ValueError: the parts differ in their features, a label has no class name, or a text is empty.
    """

    name: str
    class_names: tuple[str, ...]
    train: GraphSet
    test: GraphSet | None
    license: str
    source: str
    citation: str
    feature_names: tuple[str, ...]
    validation: GraphSet | None = None
    shifted: Mapping[str, GraphSet] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data_set.check(self)
        for part in (self.train, self.validation, self.test, *self.shifted.values()):
            if part is not None and part.num_node_features != len(self.feature_names):
                raise ValueError(
                    f"{self.name} has nodes with {part.num_node_features} features and {len(self.feature_names)} "
                    "feature_names; make all parts alike and name each feature"
                )

    @property
    def learning_task(self) -> str:
        """Return the name of the task that learns from graphs."""
        return "gnn_space.learning_tasks.graph_classification"

    @property
    def shared(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """Return nothing: a graph stands by itself."""
        return {}

    @property
    def example_shape(self) -> tuple[int, ...]:
        """Return `(num_node_features,)`."""
        return (len(self.feature_names),)

    @property
    def companion_settings(self) -> Mapping[str, Any]:
        """Return nothing: no set of graphs is made to fit another."""
        return {}

    def like(self, shape: tuple[int, ...]) -> GraphData:
        """Return the set itself, if its nodes have as many features.

        Raises:
            ValueError: they have not.
        """
        remedy = "choose sets with equally many, or give both `node_features: degree` with the same max_degree"
        require_features(self.name, len(self.feature_names), shape, remedy)
        return self

    def description(self, train: GraphSet) -> Mapping[str, Any]:
        """Return number, names, mean and standard deviation of the features; see `feature_statistics`."""
        mean, std = feature_statistics(train.x)
        return {
            "num_node_features": len(self.feature_names),
            "feature_names": list(self.feature_names),
            "feature_mean": mean,
            "feature_std": std,
        }
