"""A quadratic stand-in for shared weights: no network, no data, and a known best option for every choice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from nas_core.architecture import Choice
from nas_core.weight_sharing.gates import Gates

BEST_COST = -0.5
OTHER_COST = 0.5


class QuadraticWeights:
    """One weight an option; the loss is the gated sum of ``cost + (w - target)^2 / 2`` over all options.

    The best option of each choice has the lowest cost by far, but its weight starts farthest from its target.
    """

    def __init__(self, choices: Sequence[Choice], best: Sequence[int], num_turns: int = 100) -> None:
        self._best = tuple(best)
        self._num_turns = num_turns
        self._learning_rate = 0.1
        self._momentum = 0.9
        self.num_steps = 0
        self.factor = 1.0
        """Multiplies every loss; NaN makes the training diverge."""
        self.weights = [torch.zeros(len(choice.options), requires_grad=True) for choice in choices]
        self._buffers = [torch.zeros_like(weight) for weight in self.weights]
        self._left_by_step = [weight.detach().clone() for weight in self.weights]
        self._costs = [torch.full((len(choice.options),), OTHER_COST) for choice in choices]
        for costs, option in zip(self._costs, best, strict=True):
            costs[option] = BEST_COST

    @property
    def epoch(self) -> int:
        return self.num_steps // 10

    @property
    def progress(self) -> float:
        return min(1.0, self.num_steps / self._num_turns)

    def training_loss(self, gates: Gates) -> torch.Tensor:
        return self._loss(gates, 0.0)

    def validation_loss(self, gates: Gates) -> torch.Tensor:
        return self._loss(gates, 0.1)

    def validation_accuracy(self, gates: Gates) -> float:
        shares = [
            float(weights[option].detach() / max(float(weights.detach().sum()), 1e-9))
            for weights, option in zip(gates.options, self._best, strict=True)
        ]
        return sum(shares) / len(shares)

    def gradient(self, loss: torch.Tensor) -> list[torch.Tensor]:
        return list(torch.autograd.grad(loss, self.weights, materialize_grads=True))

    def unrolled_direction(self, loss: torch.Tensor) -> tuple[list[torch.Tensor], float]:
        pairs = zip(self._buffers, self.gradient(loss), strict=True)
        return [self._momentum * buffer + gradient for buffer, gradient in pairs], self._learning_rate

    def step(self, loss: torch.Tensor) -> None:
        self.assert_untouched()
        directions, rate = self.unrolled_direction(loss)
        if math.isfinite(float(loss.detach())):
            self._buffers = directions
            with torch.no_grad():
                for weight, direction in zip(self.weights, directions, strict=True):
                    weight -= rate * direction
        self._left_by_step = [weight.detach().clone() for weight in self.weights]
        self.num_steps += 1

    @contextmanager
    def shifted(self, direction: Sequence[torch.Tensor], scale: float) -> Iterator[None]:
        kept = [weight.detach().clone() for weight in self.weights]
        with torch.no_grad():
            for weight, part in zip(self.weights, direction, strict=True):
                weight += scale * part
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, value in zip(self.weights, kept, strict=True):
                    weight.copy_(value)

    def assert_untouched(self) -> None:
        """Fail if anything but `step` moved a weight for good, or left a gradient in it."""
        for weight, value in zip(self.weights, self._left_by_step, strict=True):
            assert torch.equal(weight.detach(), value)
            assert weight.grad is None

    def state_dict(self) -> dict[str, Any]:
        return {
            "weights": [weight.detach().clone() for weight in self.weights],
            "buffers": [buffer.clone() for buffer in self._buffers],
            "num_steps": self.num_steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        with torch.no_grad():
            for weight, value in zip(self.weights, state["weights"], strict=True):
                weight.copy_(value)
        self._left_by_step = [value.clone() for value in state["weights"]]
        self._buffers = [buffer.clone() for buffer in state["buffers"]]
        self.num_steps = state["num_steps"]

    def _loss(self, gates: Gates, offset: float) -> torch.Tensor:
        total = torch.zeros(())
        for place, (weights, costs) in enumerate(zip(self.weights, self._costs, strict=True)):
            targets = 0.25 + offset - 0.5 * costs
            terms = costs + 0.5 * (weights - targets) ** 2
            running = list(gates.active_options(place))
            mixed = (gates.options[place][running] * terms[running]).sum()
            total = total + (mixed if gates.strengths is None else gates.strengths[place] * mixed)
        return self.factor * total
