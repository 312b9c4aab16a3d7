"""An order of examples of which every start has the classes in their shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


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
