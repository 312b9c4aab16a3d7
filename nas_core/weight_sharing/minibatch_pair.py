"""A supernet on one pair of minibatches, as a learner sees it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import torch
from torch import nn

from nas_core.task import Inputs, Task
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.weight_optimizer import WeightOptimizer

Minibatch = tuple[Inputs, torch.Tensor]


class MinibatchPair:
    """Implements `nas_core.weight_sharing.learns.SharedWeights` on one training and one validation minibatch."""

    def __init__(
        self,
        supernet: nn.Module,
        optimizer: WeightOptimizer,
        task: Task,
        training: Minibatch,
        validation: Iterator[Minibatch],
        *,
        epoch: int,
        progress: float,
        autocast: bool = False,
    ) -> None:
        """Put a pair together.

        Args:
            supernet: in training mode, called as ``supernet(inputs, gates)``.
            optimizer: of the supernet's weights.
            task: gives loss, metrics and device.
            training: (inputs, targets) for the weights.
            validation: gives (inputs, targets) for what the learner learns; asked once, and only if they are needed.
            epoch: whole epochs done.
            progress: share of the training done, from 0 to 1.
            autocast: compute in bfloat16 where that is safe; inputs that are no tensor (graphs) stay in float32,
                as in every other forward pass (`nas_core.training.precision`).
        """
        self.epoch = epoch
        self.progress = progress
        self.num_skipped = 0
        self._supernet = supernet
        self._optimizer = optimizer
        self._task = task
        self._training = training
        self._validations = validation
        self._validation: Minibatch | None = None
        self._autocast = autocast

    def training_loss(self, gates: Gates) -> torch.Tensor:
        """Return the scalar loss on the training minibatch."""
        return self._loss(gates, self._training)

    def validation_loss(self, gates: Gates) -> torch.Tensor:
        """Return the scalar loss on the validation minibatch."""
        return self._loss(gates, self._validation_minibatch())

    def validation_accuracy(self, gates: Gates) -> float:
        """Return the task's metric on the validation minibatch, by its batch statistics and without gradients."""
        inputs, targets = self._validation_minibatch()
        with torch.no_grad():
            return self._task.metrics(self._outputs(gates, inputs), targets)[self._task.metric]

    def gradient(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Return the gradient of a loss by each shared weight."""
        return self._optimizer.gradient(loss)

    def unrolled_direction(self, loss: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        """Return (direction, learning rate) of the optimizer's step on a loss, without taking it or clipping it."""
        return self._optimizer.direction(loss), self._optimizer.learning_rate

    def step(self, loss: torch.Tensor) -> None:
        """Take one step of the weight optimizer; one on a loss that is not finite is skipped and counted."""
        if not self._optimizer.step(loss):
            self.num_skipped += 1

    def shifted(self, direction: Sequence[torch.Tensor], scale: float) -> AbstractContextManager[None]:
        """Hold the weights at ``w + scale * direction`` within a ``with`` block, then restore them exactly."""
        return self._optimizer.shifted(direction, scale)

    def _validation_minibatch(self) -> Minibatch:
        if self._validation is None:
            self._validation = next(self._validations)
        return self._validation

    def _loss(self, gates: Gates, minibatch: Minibatch) -> torch.Tensor:
        inputs, targets = minibatch
        return self._task.loss(self._outputs(gates, inputs), targets)

    def _outputs(self, gates: Gates, inputs: Inputs) -> torch.Tensor:
        device = self._task.device
        with torch.autocast(device.type, torch.bfloat16, enabled=self._autocast and isinstance(inputs, torch.Tensor)):
            outputs: torch.Tensor = self._supernet(inputs, gates.to(device))
        return outputs.float() if self._autocast else outputs
