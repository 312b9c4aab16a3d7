"""The graph that a backward pass walks, without the pass: which modules reach the outputs."""

from __future__ import annotations

import torch
from torch.autograd.graph import Node, saved_tensors_hooks


def nothing_saved() -> saved_tensors_hooks:
    """Return a context in which a forward pass keeps the shape of its graph, and no tensor for a backward pass."""
    nothing = torch.empty(0)
    return saved_tensors_hooks(lambda _: nothing, lambda _: nothing)


def reached(outputs: torch.Tensor) -> set[Node | None]:
    """Return the nodes of the graph that a backward pass from the outputs visits."""
    visited: set[Node | None] = set()
    waiting = [] if outputs.grad_fn is None else [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        if node not in visited:
            visited.add(node)
            waiting.extend(source for source, _ in node.next_functions if source is not None)
    return visited
