"""What the page calls the examples of a learning task: images, graphs, nodes."""

from __future__ import annotations

from dataclasses import dataclass

TASK_SUFFIX = "_classification"
UNKNOWN = "example"


@dataclass(frozen=True)
class ExampleWords:
    """Words for the examples that networks classify.

    Attributes:
        singular: one of them.
        plain_features: what the logistic regression among the baselines sees of one.
        one_pass: what a network's number of multiply-accumulates is counted for.
    """

    singular: str
    plain_features: str
    one_pass: str

    @property
    def plural(self) -> str:
        """Several of them."""
        return f"{self.singular}s"


def example_words(learning_task: str) -> ExampleWords:
    """Return the words for a learning task by its name, as ``gnn_space.learning_tasks.graph_classification``."""
    task = learning_task.rpartition(".")[2]
    singular = task.removesuffix(TASK_SUFFIX) if task.endswith(TASK_SUFFIX) else UNKNOWN
    if singular == "image":
        return ExampleWords(singular, "the pixels", "one image")
    if singular == "graph":
        return ExampleWords(singular, "plain features of the graphs", "the first training graph")
    if singular == "node":
        return ExampleWords(singular, "the nodes' own features", "the whole graph")
    return ExampleWords(singular, f"plain features of the {singular}s", f"one {singular}")
