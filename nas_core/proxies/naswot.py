"""How differently the examples of a batch switch a network's ReLUs (Mellor et al. 2021, NASWOT, arXiv:2006.04647v3)."""

from __future__ import annotations

from collections.abc import Callable
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

    from nas_core.training.backward_graph import nothing_saved, reached
    from nas_core.training.inputs import example_rows, with_gradient
    from nas_core.training.scoring_mode import scoring_mode

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
    try:
        with scoring_mode(network), torch.enable_grad(), nothing_saved():
            outputs = network(with_gradient(inputs))
    finally:
        for handle in handles:
            handle.remove()
    on_the_way = reached(outputs)
    if on_the_way.intersection(left_out) and not on_the_way.intersection(codes.node for codes in records):
        raise ValueError(
            f"none of the {len(left_out)} ReLUs has one row for each of the {len(inputs)} examples; put a ReLU behind "
            "the readout, or use another score"
        )
    counts = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    for codes in records:
        if codes.node in on_the_way:
            num_on = codes.both_on.diagonal()
            counts += 2 * codes.both_on - num_on[:, None] - num_on[None, :] + codes.num_units
    eigenvalues = torch.linalg.eigvalsh(counts.cpu())
    if eigenvalues[0] <= eigenvalues[-1] * len(inputs) * torch.finfo(torch.float64).eps:
        return SINGULAR_SCORE
    return float(eigenvalues.log().sum())
