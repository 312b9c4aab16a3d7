"""The order contract: what happens in one turn, a pair of minibatches, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch


class Turn(Protocol):
    """What can be done in one turn, in any order."""

    @property
    def num_turns(self) -> int:
        """How many turns there were before this one."""

    @property
    def epoch(self) -> int:
        """How many whole epochs there were before this one."""

    def draw(self) -> list[torch.Tensor]:
        """Return fresh relaxation noise."""

    def gradient(self, noise: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the parameters' gradient under one noise."""

    def update_parameters(self, gradient: Sequence[torch.Tensor]) -> None:
        """Take one step of the parameters' optimizer."""

    def train_weights(self, noise: Sequence[torch.Tensor]) -> None:
        """Take one step of the weights under the gates of the present parameters and one noise."""


Order = Callable[[Turn], None]
"""Plays one turn."""


def parameters_first(turn: Turn) -> None:
    """Update the parameters, then train the weights, both under one noise (DARTS, Liu et al. 2019, algorithm 1)."""
    noise = turn.draw()
    turn.update_parameters(turn.gradient(noise))
    turn.train_weights(noise)


def weights_first(turn: Turn) -> None:
    """Train the weights, then update the parameters, each under a noise of its own (GDAS, Dong and Yang 2019)."""
    turn.train_weights(turn.draw())
    turn.update_parameters(turn.gradient(turn.draw()))
