"""The optimizer of shared weights: SGD with momentum, whose next step can be asked for without being taken."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True, slots=True)
class WeightRecipe:
    """How shared weights are trained. The defaults are those of DARTS (Liu et al. 2019, arXiv:1806.09055).

    Attributes:
        learning_rate: at the start of the cosine, above 0.
        least_learning_rate: at its end.
        momentum: in [0, 1).
        weight_decay: added to the gradient, at least 0.
        nesterov: look ahead by the momentum (NAS-Bench-201's searches do, DARTS does not).
        clip_norm: largest 2-norm of the whole gradient, above 0.
    """

    learning_rate: float = 0.025
    least_learning_rate: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 3e-4
    nesterov: bool = False
    clip_norm: float = 5.0

    def __post_init__(self) -> None:
        if self.least_learning_rate > self.learning_rate:
            raise ValueError(
                f"least_learning_rate is {self.least_learning_rate}, above learning_rate {self.learning_rate}; lower it"
            )
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs momentum above 0; raise momentum, or set nesterov to false")

    def rate(self, progress: float) -> float:
        """Return the learning rate of the cosine at a share of the training, from 0 to 1."""
        fall = 0.5 * (1.0 + math.cos(math.pi * progress))
        return self.least_learning_rate + (self.learning_rate - self.least_learning_rate) * fall


class WeightOptimizer:
    """SGD over the weights of a module; weights that a loss does not reach stay as they are, momentum included."""

    def __init__(self, module: nn.Module, recipe: WeightRecipe) -> None:
        """Take the trainable parameters of a module that is already on its device."""
        self.weights: list[torch.Tensor] = [weight for weight in module.parameters() if weight.requires_grad]
        self._recipe = recipe
        self._sgd = torch.optim.SGD(
            self.weights,
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.nesterov,
            foreach=True,
        )

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self._sgd.param_groups[0]["lr"])

    def set_progress(self, progress: float) -> None:
        """Set the learning rate to the cosine's at a share of the training, from 0 to 1."""
        self._sgd.param_groups[0]["lr"] = self._recipe.rate(progress)

    def step(self, loss: torch.Tensor) -> bool:
        """Take one clipped step; return whether it was taken: not if the loss or its gradient is not finite."""
        self._sgd.zero_grad(set_to_none=True)
        torch.autograd.backward(loss, inputs=self.weights)
        norm = nn.utils.clip_grad_norm_(self.weights, self._recipe.clip_norm, foreach=True)
        taken = bool(torch.isfinite(norm) & torch.isfinite(loss.detach()))
        if taken:
            self._sgd.step()
        self._sgd.zero_grad(set_to_none=True)
        return taken

    def gradient(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Return the gradient of a loss by each weight, zeros where it took no part."""
        gradients = torch.autograd.grad(loss, self.weights, allow_unused=True)
        return [
            torch.zeros_like(weight) if gradient is None else gradient
            for weight, gradient in zip(self.weights, gradients, strict=True)
        ]

    def direction(self, loss: torch.Tensor) -> list[torch.Tensor]:
        """Return ``momentum * buffer + gradient + weight_decay * w`` for each weight, zeros where it took no part.

        A step goes by ``learning_rate`` against it, where neither clipping nor Nesterov's look-ahead changes that.
        """
        recipe = self._recipe
        directions = []
        gradients = torch.autograd.grad(loss, self.weights, allow_unused=True)
        for weight, gradient in zip(self.weights, gradients, strict=True):
            if gradient is None:
                directions.append(torch.zeros_like(weight))
                continue
            direction = gradient + recipe.weight_decay * weight.detach()
            buffer = self._sgd.state[weight].get("momentum_buffer") if recipe.momentum else None
            directions.append(direction if buffer is None else recipe.momentum * buffer + direction)
        return directions

    @contextmanager
    def shifted(self, direction: Sequence[torch.Tensor], scale: float) -> Iterator[None]:
        """Hold the weights at ``w + scale * direction`` within a ``with`` block, then restore them exactly."""
        kept = [weight.detach().clone() for weight in self.weights]
        with torch.no_grad():
            torch._foreach_add_(self.weights, list(direction), alpha=scale)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(self.weights, kept)

    def state_dict(self) -> dict[str, Any]:
        """Return the momentum of each weight (None before its first step)."""
        buffers = [self._sgd.state[weight].get("momentum_buffer") for weight in self.weights]
        return {"momentum": [None if buffer is None else buffer.detach().cpu().clone() for buffer in buffers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._sgd.state.clear()
        for weight, buffer in zip(self.weights, state["momentum"], strict=True):
            if buffer is not None:
                self._sgd.state[weight]["momentum_buffer"] = buffer.to(weight.device, copy=True)
