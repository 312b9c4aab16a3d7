"""Updates of a controller: PPO's gradient against autograd of its clipped objective."""

from __future__ import annotations

import numpy as np
import torch
from grid_space import GridSpace, member

from nas_core.architecture import Architecture
from nas_core.controllers.factorized import build
from nas_core.policy_updates import policy_gradient, proximal
from nas_core.randomness import Streams

BATCH = [member(1, 2), member(0, 1), member(0, 0)]
ADVANTAGES = np.array([1.0, -2.0, 0.5])


class Recorder:
    """A controller of fixed log-probabilities that keeps the weights it is moved by."""

    def __init__(self, logs: list[list[float]]) -> None:
        self._logs = iter(logs)
        self.weights: list[list[float]] = []

    def log_probabilities(self, architectures: list[Architecture]) -> np.ndarray:
        return np.array(next(self._logs))

    def ascend(self, architectures: list[Architecture], weights: list[float], entropy_weight: float) -> None:
        self.weights.append(list(weights))


def test_the_policy_gradient_weighs_by_the_mean_advantage() -> None:
    recorder = Recorder([])
    policy_gradient(recorder, BATCH, ADVANTAGES, 0.0)
    np.testing.assert_allclose(recorder.weights, [[1 / 3, -2 / 3, 0.5 / 3]])


def test_ppo_clips_what_has_moved_far_enough_and_nothing_else() -> None:
    old = np.log([0.2, 0.2, 0.2])
    # ratios 1.5 (good, so clipped), 0.5 (bad, so clipped), 0.5 (good: it must come back)
    now = np.log([0.3, 0.1, 0.1])
    recorder = Recorder([list(old), list(old), list(now)])
    proximal(0.2, 2)(recorder, BATCH, ADVANTAGES, 0.0)
    np.testing.assert_allclose(recorder.weights, [ADVANTAGES / 3, [0.0, 0.0, 0.5 * 0.5 / 3]])


def test_ppo_is_adam_on_the_clipped_objective() -> None:
    controller = build(GridSpace((2, 3)), Streams(0), learning_rate=0.3)
    logits = [torch.tensor(row, dtype=torch.float64).log().requires_grad_() for row in controller.probabilities]
    optimizer = torch.optim.Adam(logits, lr=0.3, maximize=True)
    advantages = torch.tensor(ADVANTAGES)

    def logs() -> torch.Tensor:
        return torch.stack(
            [sum(row.log_softmax(0)[made] for row, made in zip(logits, each.decisions, strict=True)) for each in BATCH]
        )

    old = logs().detach()
    for _ in range(5):
        ratios = (logs() - old).exp()
        gain = torch.minimum(ratios * advantages, ratios.clamp(0.8, 1.2) * advantages).mean()
        optimizer.zero_grad()
        torch.autograd.backward(gain)
        optimizer.step()
    proximal(0.2, 5)(controller, BATCH, ADVANTAGES, 0.0)
    for row, expected in zip(controller.probabilities, logits, strict=True):
        np.testing.assert_allclose(row, expected.detach().softmax(0), atol=1e-9)
