"""The factorized policy: its gradients against autograd, its step against torch's Adam, its log-probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from grid_space import GridSpace, member

from nas_core.controllers.factorized import FactorizedPolicy, build, entropy_gradient, log_probability_gradient
from nas_core.randomness import Streams


def policy(space: GridSpace, learning_rate: float = 0.01, seed: int = 0) -> FactorizedPolicy:
    built = build(space, Streams(seed), learning_rate=learning_rate)
    assert isinstance(built, FactorizedPolicy)
    return built


def test_the_gradient_is_that_of_autograd() -> None:
    logits = torch.tensor([[0.3, -1.0, 0.5], [2.0, 0.1, -0.7]], dtype=torch.float64, requires_grad=True)
    torch.autograd.backward(logits.log_softmax(1)[0, 2] + logits.log_softmax(1)[1, 0])
    gradient = log_probability_gradient(logits.detach().softmax(1).numpy(), (2, 0), (True, True))
    np.testing.assert_allclose(gradient, logits.grad, atol=1e-15)


def test_the_entropys_gradient_is_that_of_autograd() -> None:
    logits = torch.tensor([[0.3, -1.0, 0.5], [2.0, 0.1, -torch.inf]], dtype=torch.float64, requires_grad=True)
    rows = [logits[0], logits[1, :2]]
    torch.autograd.backward(sum((-(row.softmax(0) * row.log_softmax(0)).sum() for row in rows), torch.tensor(0.0)))
    np.testing.assert_allclose(entropy_gradient(logits.detach().softmax(1).numpy()), logits.grad, atol=1e-15)


def test_choices_that_do_not_matter_have_no_gradient() -> None:
    gradient = log_probability_gradient(np.full((2, 2), 0.5), (1, 0), (True, False))
    assert gradient.tolist() == [[-0.5, 0.5], [0.0, 0.0]]


def test_steps_are_those_of_torch() -> None:
    controller = policy(GridSpace((2, 3)), learning_rate=0.1)
    logits = [torch.tensor(row, dtype=torch.float64).log().requires_grad_() for row in controller.probabilities]
    optimizer = torch.optim.Adam(logits, lr=0.1, maximize=True)
    for weights in ((0.3, -2.0), (5.0, 1.0), (-1.0, 0.5)):
        batch = [member(1, 2), member(0, 1)]
        controller.ascend(batch, weights, 0.1)
        gain = torch.zeros((), dtype=torch.float64)
        for made, weight in zip(batch, weights, strict=True):
            for row, decision in zip(logits, made.decisions, strict=True):
                gain = gain + weight * row.log_softmax(0)[decision]
        for row in logits:
            gain = gain - 0.1 * (row.softmax(0) * row.log_softmax(0)).sum()
        optimizer.zero_grad()
        torch.autograd.backward(gain)
        optimizer.step()
        for row, expected in zip(controller.probabilities, logits, strict=True):
            np.testing.assert_allclose(row, expected.detach().softmax(0), atol=1e-12)


def test_initial_logits_are_near_zero_and_differ_by_seed() -> None:
    controller = policy(GridSpace((2, 5)))
    assert [len(row) for row in controller.probabilities] == [2, 5]
    assert controller.probabilities[1] == pytest.approx([0.2] * 5, abs=2e-3)
    assert policy(GridSpace((2, 5)), seed=1).state_dict() != controller.state_dict()


def test_draws_follow_the_policy_and_so_do_log_probabilities() -> None:
    controller = policy(GridSpace((2, 3)), learning_rate=1.0)
    controller.ascend([member(1, 2)], [1.0], 0.0)
    generator = np.random.default_rng(0)
    draws = np.array(controller.draw(generator, 4000))
    for place, row in enumerate(controller.probabilities):
        assert np.bincount(draws[:, place], minlength=len(row)) / 4000 == pytest.approx(row, abs=0.03)
    first, second = controller.probabilities
    logs = controller.log_probabilities([member(1, 2), member(0, 0)])
    np.testing.assert_allclose(np.exp(logs), [first[1] * second[2], first[0] * second[0]])
