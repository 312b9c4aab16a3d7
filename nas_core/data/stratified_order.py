"""In which order a pass goes through examples, and how many of them it takes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def order_of_pass(labels: torch.Tensor, fraction: float, generator: torch.Generator | None) -> torch.Tensor | None:
    """Return the examples of one pass (num_taken,) int64, on the CPU; None is all of them in their order.

    A fraction of n examples is the first ceil(fraction n) of the `stratified_order`; a generator shuffles them.

    Args:
        labels: of all examples (num,).
        fraction: in (0, 1].
        generator: on the CPU, or None.
    """
    import torch

    order = stratified_order(labels)[: math.ceil(fraction * len(labels))] if fraction < 1 else None
    if generator is None:
        return order
    permutation = torch.randperm(len(labels) if order is None else len(order), generator=generator)
    return permutation if order is None else order[permutation]


def stratified_order(labels: torch.Tensor) -> torch.Tensor:
    """Return a fixed order (num,) of examples, on the CPU, in which every start has the classes in their shares.

    The k-th of the n examples of a class, in an order drawn with a fixed seed, comes at place (k + u) / n, u uniform in
    0..1 and fixed for the class.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    labels = labels.cpu()
    places = torch.empty(len(labels), dtype=torch.float64)
    for label in sorted(set(labels.tolist())):
        (members,) = torch.where(labels == label)
        ranks = torch.randperm(len(members), generator=generator)
        places[members] = (ranks + torch.rand(1, generator=generator, dtype=torch.float64)) / len(members)
    return torch.argsort(places, stable=True)
