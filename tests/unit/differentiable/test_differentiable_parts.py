"""The parts of differentiable methods, each by itself."""

from __future__ import annotations

import math

import pytest
import torch

from nas_core.architecture import Architecture, Choice
from nas_core.differentiable.decoding import Without, by_space
from nas_core.differentiable.order import Turn, parameters_first, weights_first
from nas_core.differentiable.parameter_optimizer import Adam
from nas_core.differentiable.softmax import Softmax
from nas_core.spaces.nasbench201 import NASBench201

CHOICES = (Choice("a", ("x", "y")), Choice("b", ("x", "y", "z")))


def test_softmax_by_hand() -> None:
    alpha = [torch.tensor([0.0, math.log(3.0)]), torch.zeros(3)]
    gates = Softmax().gates(alpha, [], 1.0)
    assert gates.options[0].tolist() == pytest.approx([0.25, 0.75])
    assert gates.options[1].tolist() == pytest.approx([1 / 3] * 3)
    assert Softmax().gates(alpha, [], 0.5).options[0].tolist() == pytest.approx([0.1, 0.9])
    assert Softmax().scores(alpha)[0] == pytest.approx([0.25, 0.75])


def test_initial_alpha_come_from_the_generator_alone() -> None:
    one, other = (Softmax(0.5).initial(CHOICES, torch.Generator().manual_seed(3)) for _ in range(2))
    assert [alpha.shape for alpha in one] == [(2,), (3,)]
    assert all(map(torch.equal, one, other))
    smaller = Softmax(0.25).initial(CHOICES, torch.Generator().manual_seed(3))
    torch.testing.assert_close(2 * smaller[1], one[1])


def test_an_excluded_option_is_never_decoded_to() -> None:
    space = NASBench201()
    scores = [[0.9, 0.1, 0.0, 0.0, 0.0]] * 3 + [[0.1, 0.0, 0.0, 0.9, 0.0]] * 3
    assert by_space(space, scores) == Architecture("nasbench201", (0, 0, 0, 3, 3, 3))
    assert Without("none")(space, scores) == Architecture("nasbench201", (1, 1, 1, 3, 3, 3))


class Recorder:
    """A turn that notes what is asked of it."""

    num_turns = 0
    epoch = 0

    def __init__(self) -> None:
        self.log: list[str] = []
        self.num_draws = 0

    def draw(self) -> list[torch.Tensor]:
        self.num_draws += 1
        return [torch.tensor(self.num_draws)]

    def gradient(self, noise: list[torch.Tensor]) -> list[torch.Tensor]:
        self.log.append(f"gradient {noise[0]}")
        return []

    def update_parameters(self, gradient: list[torch.Tensor]) -> None:
        self.log.append("update")

    def train_weights(self, noise: list[torch.Tensor]) -> None:
        self.log.append(f"train {noise[0]}")


def test_orders() -> None:
    one, other = Recorder(), Recorder()
    turn: Turn = one  # type: ignore[assignment]
    parameters_first(turn)
    weights_first(other)  # type: ignore[arg-type]
    assert one.log == ["gradient 1", "update", "train 1"]
    assert other.log == ["train 1", "gradient 2", "update"]


def test_adam_by_hand() -> None:
    # the first step of Adam is learning_rate * sign(gradient), whatever the gradient's size
    parameter = torch.tensor([1.0, 1.0], requires_grad=True)
    optimizer = Adam(learning_rate=0.1, weight_decay=0.0)([parameter])
    parameter.grad = torch.tensor([5.0, -0.01])
    optimizer.step()
    assert parameter.tolist() == pytest.approx([0.9, 1.1], abs=1e-6)
