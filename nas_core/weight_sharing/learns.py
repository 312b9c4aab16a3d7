"""The contracts between a strategy that learns with the shared weights and whoever owns them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch

    from nas_core.weight_sharing.gates import Gates


class SharedWeights(Protocol):
    """A supernet on one pair of minibatches (training, validation), seen through its losses.

    The minibatches stay the same during one `Learns.learn`; the network itself is never seen.
    """

    @property
    def epoch(self) -> int:
        """How many whole epochs the learner has taken part in."""

    @property
    def progress(self) -> float:
        """Share of the learner's part of the training that is done, from 0 to 1; temperatures follow it."""

    def training_loss(self, gates: Gates) -> torch.Tensor:
        """Return the scalar loss on the training minibatch, twice differentiable in gates and weights."""

    def validation_loss(self, gates: Gates) -> torch.Tensor:
        """Return the scalar loss on the validation minibatch."""

    def validation_accuracy(self, gates: Gates) -> float:
        """Return the task's metric on the validation minibatch, by its batch statistics and without gradients.

        Running statistics would mix those of all paths, so batch normalization uses the minibatch's own.
        """

    def gradient(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Return the gradient of a loss by each shared weight (zeros where a weight took no part).

        Call it while the weights are what they were when the loss was made: within the same `shifted` block, before
        the next `step`.
        """

    def unrolled_direction(self, loss: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        """Return (direction, learning rate) of the step that the weight optimizer would take on a loss, without it.

        The new weights would be ``w - learning_rate * direction``, where direction is
        ``momentum * buffer + gradient + weight_decay * w``, without clipping or Nesterov's look-ahead.
        """

    def step(self, loss: torch.Tensor) -> None:
        """Take one step of the weight optimizer (clipping included); a loss that is not finite moves nothing."""

    def shifted(self, direction: Sequence[torch.Tensor], scale: float) -> AbstractContextManager[None]:
        """Hold the weights at ``w + scale * direction`` within a ``with`` block, then restore them exactly."""


@runtime_checkable
class Learns(Protocol):
    """The further verb of a strategy that takes part in training the shared weights (DARTS family, ENAS, NAT)."""

    def learn(self, weights: SharedWeights) -> None:
        """Learn from one pair of minibatches and train the weights on it; called once a pair."""
