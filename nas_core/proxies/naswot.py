"""How differently the examples of a batch switch a network's ReLUs (Mellor et al. 2021, NASWOT, arXiv:2006.04647v3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.autograd.graph import Node

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""

SINGULAR_SCORE = -1.0
"""Score where K is singular: below every other one, because a nonsingular K of whole numbers has a determinant of at
least 1, and so a score of at least 0."""


@dataclass(frozen=True)
class _Codes:
    """What one ReLU says of the batch.

    Attributes:
        both_on: (batch, batch), for each pair of examples the number of units that both switch on.
        num_units: units of the ReLU.
        node: the ReLU in the graph that a backward pass walks; None if nothing before it has a gradient.
    """

    both_on: torch.Tensor
    num_units: int
    node: Node | None


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return ``log det K``, where K[i, j] counts the units that examples i and j both switch on or both switch off.

    Follows the paper's second version: the units are those of all `nn.ReLU` modules that a backward pass from the
    outputs reaches, in training mode, at initialization; the paper's batch is 128. A ReLU in a dead branch drops out,
    and a ReLU that is called as a function is not seen. Differs from the authors' code: the graph of the backward pass
    is walked but not computed; dropout is off, since it would draw from the global generator; and a numerically
    singular K, whose score would be minus infinity, gets `SINGULAR_SCORE`, which ranks last. Targets and loss are not
    used.

    Differs from the paper on graphs, which it does not consider: units must have one row an example. Where an example
    is a node, the ReLUs on all nodes count, with the rows of the examples; where it is a graph, those after the readout
    do, and the ReLUs on nodes, or on the nodes that a pooling has left, are left out.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch.

    Raises:
        ValueError: there are ReLUs that reach the outputs, but none with one row an example.
    """
    import torch
    from torch import nn

    from nas_core.training.inputs import example_rows, with_gradient

    records: list[_Codes] = []
    left_out: list[Node | None] = []

    def record(_: nn.Module, __: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> None:
        rows = example_rows(outputs.detach(), inputs)
        if rows is None:
            left_out.append(outputs.grad_fn)
            return
        codes = (rows > 0).flatten(1).to(torch.float32)
        records.append(_Codes(codes @ codes.T, codes.shape[1], outputs.grad_fn))

    handles = [module.register_forward_hook(record) for module in network.modules() if isinstance(module, nn.ReLU)]
    # Only the shape of the graph is needed: nothing is kept for a backward pass, which never comes.
    nothing = torch.empty(0)
    forgotten = torch.autograd.graph.saved_tensors_hooks(lambda _: nothing, lambda _: nothing)
    try:
        with _training_mode(network), torch.enable_grad(), forgotten:
            outputs = network(with_gradient(inputs))
    finally:
        for handle in handles:
            handle.remove()
    reached = _reached(outputs)
    if reached.intersection(left_out) and not reached.intersection(codes.node for codes in records):
        raise ValueError(
            f"none of the {len(left_out)} ReLUs has one row for each of the {len(inputs)} examples; put a ReLU behind "
            "the readout, or use another score"
        )
    counts = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    for codes in records:
        if codes.node in reached:
            num_on = codes.both_on.diagonal()
            counts += 2 * codes.both_on - num_on[:, None] - num_on[None, :] + codes.num_units
    eigenvalues = torch.linalg.eigvalsh(counts.cpu())
    if eigenvalues[0] <= eigenvalues[-1] * len(inputs) * torch.finfo(torch.float64).eps:
        return SINGULAR_SCORE
    return float(eigenvalues.log().sum())


def _reached(outputs: torch.Tensor) -> set[Node | None]:
    """Return the nodes of the graph that a backward pass from the outputs visits."""
    visited: set[Node | None] = set()
    waiting = [] if outputs.grad_fn is None else [outputs.grad_fn]
    while waiting:
        node = waiting.pop()
        if node not in visited:
            visited.add(node)
            waiting.extend(source for source, _ in node.next_functions if source is not None)
    return visited


@contextmanager
def _training_mode(network: nn.Module) -> Iterator[None]:
    """Hold a network in training mode, dropout off, within a ``with`` block; then restore modes and buffers."""
    import torch
    from torch import nn

    from nas_core.training.measurement import in_mode

    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    dropouts = nn.Dropout | nn.Dropout1d | nn.Dropout2d | nn.Dropout3d | nn.AlphaDropout | nn.FeatureAlphaDropout
    with in_mode(network, training=True):
        for module in network.modules():
            if isinstance(module, dropouts):
                module.eval()
        try:
            yield
        finally:
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)
