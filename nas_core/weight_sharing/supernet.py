"""The supernet contract: one network that holds every architecture of a space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates


@dataclass(frozen=True)
class Mixing:
    """How a supernet mixes the options of a choice.

    Attributes:
        channel_fraction: the first 1/channel_fraction of the channels go through the mixture and the rest bypass it
            (PC-DARTS, Xu et al. 2020, arXiv:1907.05737); 1 sends all through.
        affine: whether batch normalization has learnable scale and shift during the search (DARTS: no).
    """

    channel_fraction: int = 1
    affine: bool = False

    def __post_init__(self) -> None:
        if self.channel_fraction < 1:
            raise ValueError(f"channel_fraction is {self.channel_fraction}; give an integer >= 1")


class Supernet(Protocol):
    """An `nn.Module` that computes the mixture that the gates ask for."""

    def __call__(self, inputs: Inputs, gates: Gates) -> torch.Tensor:
        """Return the outputs (batch, *task.outputs) of the network under the gates."""
