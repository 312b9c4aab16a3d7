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
class _Agreement:
    """What one ReLU says of the batch.

    Attributes:
        num_units: (batch, batch), for each pair of examples the number of units in which they agree.
        node: the ReLU in the graph that a backward pass walks; None if nothing before it has a gradient.
    """

    num_units: torch.Tensor
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

    Differs from the paper on graphs, which it does not consider. A ReLU may have several rows an example, such as those
    of a graph's nodes, or of the nodes that a pooling has left; the number of units in which two examples agree is then
    the mean over all pairs of a row of the one and a row of the other (the normalized set kernel of Gaertner et al.
    2002, "Multi-instance kernels"), which is K[i, j] as above where there is one row each. Such a K is no longer of
    whole numbers and may be close to singular for any network, so the score of graphs, and of nodes, is
    ``log det(1 + K)``: at least 0, and 0 for a network without ReLUs. An example of which a pooling has left no row
    agrees with none there.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch.

    Raises:
        ValueError: there are ReLUs that reach the outputs, but it is not known whose rows any of them has.
    """
    import torch
    from torch import nn

    from nas_core.training.backward_graph import nothing_saved, reached
    from nas_core.training.inputs import HasRowExamples, KeepsRows, with_gradient
    from nas_core.training.scoring_mode import scoring_mode

    records: list[_Agreement] = []
    left_out: list[Node | None] = []
    # the example of each row, for the rows that go in, and for those that are left after each module that drops some
    levels = [inputs.row_examples()] if isinstance(inputs, HasRowExamples) else []

    def record(_: nn.Module, __: tuple[object, ...], outputs: torch.Tensor) -> None:
        codes = (outputs.detach() > 0).flatten(1).to(torch.float32)
        if len(codes) == len(inputs):
            records.append(_Agreement(_agreement(codes), outputs.grad_fn))
        elif known := [examples for examples in levels if len(examples) == len(codes)]:
            records.append(_Agreement(_agreement_of_rows(codes, known[-1], len(inputs)), outputs.grad_fn))
        else:
            left_out.append(outputs.grad_fn)

    def follow(_: nn.Module, __: tuple[object, ...], outputs: object) -> None:
        if isinstance(outputs, KeepsRows) and levels:
            levels.append(outputs.kept_rows(levels[-1]))

    handles = [
        module.register_forward_hook(record if isinstance(module, nn.ReLU) else follow) for module in network.modules()
    ]
    try:
        with scoring_mode(network), torch.enable_grad(), nothing_saved():
            outputs = network(with_gradient(inputs))
    finally:
        for handle in handles:
            handle.remove()
    on_the_way = reached(outputs)
    if on_the_way.intersection(left_out) and not on_the_way.intersection(each.node for each in records):
        raise ValueError(
            f"none of the {len(left_out)} ReLUs has rows that are known to be of the {len(inputs)} examples; put a "
            "ReLU behind the readout, or use another score"
        )
    kernel = torch.zeros(len(inputs), len(inputs), dtype=torch.float64, device=inputs.device)
    for each in records:
        if each.node in on_the_way:
            kernel += each.num_units
    eigenvalues = torch.linalg.eigvalsh(kernel.cpu())
    if isinstance(inputs, HasRowExamples):
        return float(eigenvalues.clamp(min=0).log1p().sum())
    if eigenvalues[0] <= eigenvalues[-1] * len(inputs) * torch.finfo(torch.float64).eps:
        return SINGULAR_SCORE
    return float(eigenvalues.log().sum())


def _agreement(shares: torch.Tensor) -> torch.Tensor:
    """Return ``sum_units p_i p_j + (1 - p_i) (1 - p_j)`` of each pair of examples (batch, batch).

    Args:
        shares: p (batch, units), the share of an example's rows that switch a unit on.
    """
    num_on = shares.sum(1)
    return 2 * shares @ shares.T - num_on[:, None] - num_on[None, :] + shares.shape[1]


def _agreement_of_rows(codes: torch.Tensor, examples: torch.Tensor, num_examples: int) -> torch.Tensor:
    """Return the agreement of each pair of examples (batch, batch), 0 for an example without rows.

    Args:
        codes: 1 where a row switches a unit on, else 0 (rows, units).
        examples: the example that each row is of (rows,), -1 for none.
        num_examples: number of examples.
    """
    import torch

    (known,) = torch.where(examples >= 0)
    examples = examples[known]
    num_rows = torch.bincount(examples, minlength=num_examples)
    sums = codes.new_zeros(num_examples, codes.shape[1]).index_add(0, examples, codes[known])
    there = (num_rows > 0).to(codes.dtype)
    return _agreement(sums / num_rows.clamp(min=1).unsqueeze(1)) * there[:, None] * there[None, :]
