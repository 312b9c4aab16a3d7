"""What networks that pool nodes can show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from nas_core.task import Inputs


@runtime_checkable
class HasPoolingExamples(Protocol):
    """A network of graphs that can say which nodes of an example its poolings keep, and with which edges."""

    def pooling_examples(self, graphs: Inputs, count: int) -> list[dict[str, Any]]:
        """Return one dict a graph, for the first `count` graphs of a batch, with nodes numbered from 0 in each graph.

        ``{"num_nodes": n, "edges": [[i, j], ...], "levels": [{"block": number from 1, "pooling": name,
        "kept": [i, ...], "edges": [[i, j, weight], ...]}, ...]}``: each edge of the graph once, from the lower node;
        a level for each pooling, with the kept nodes and the edges among them from i to j.
        """
