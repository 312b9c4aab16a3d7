"""The optimizer of shared weights: its step, its preview of the step, and shifts that leave no trace."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_core.weight_sharing.weight_optimizer import WeightOptimizer, WeightRecipe


def module_of(*values: list[float]) -> nn.ParameterList:
    return nn.ParameterList(nn.Parameter(torch.tensor(value)) for value in values)


def test_the_cosine_by_hand() -> None:
    recipe = WeightRecipe(learning_rate=0.025, least_learning_rate=0.001)
    assert [recipe.rate(progress) for progress in (0.0, 0.5, 1.0)] == pytest.approx([0.025, 0.013, 0.001])


def test_two_steps_by_hand() -> None:
    module = module_of([1.0])
    optimizer = WeightOptimizer(module, WeightRecipe(0.1, 0.0, 0.9, weight_decay=0.5, clip_norm=2.0))
    assert optimizer.step(3.0 * module[0].sum())  # gradient 3, clipped to 2, plus decay .5: 2.5
    assert module[0].item() == pytest.approx(0.75)
    assert optimizer.step(1.0 * module[0].sum())  # 1 + .375 + .9 * 2.5 = 3.625
    assert module[0].item() == pytest.approx(0.3875)


def test_the_direction_is_that_of_the_step() -> None:
    module = module_of([1.0, -2.0], [0.5])
    optimizer = WeightOptimizer(module, WeightRecipe(0.1, 0.0, 0.9, weight_decay=0.01, clip_norm=1e9))

    def loss() -> torch.Tensor:
        return (module[0] ** 2).sum() * module[1].sum()

    for _ in range(3):
        before = [weight.detach().clone() for weight in module]
        direction = optimizer.direction(loss())
        assert all(map(torch.equal, before, module))
        optimizer.step(loss())
        for old, new, part in zip(before, module, direction, strict=True):
            torch.testing.assert_close(new.detach(), old - optimizer.learning_rate * part)


def test_weights_out_of_reach_stay_as_they_are() -> None:
    module = module_of([1.0], [1.0])
    optimizer = WeightOptimizer(module, WeightRecipe(weight_decay=0.5))
    optimizer.step(module.parameters().__next__().sum())
    assert module[1].item() == 1.0
    assert optimizer.direction(module[0].sum())[1].item() == 0.0
    assert optimizer.gradient(module[0].sum())[1].item() == 0.0


@pytest.mark.parametrize("factor", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_moves_nothing(factor: float) -> None:
    module = module_of([1.0, 2.0])
    optimizer = WeightOptimizer(module, WeightRecipe())
    optimizer.step(module[0].sum())
    weights, momentum = module[0].detach().clone(), optimizer.state_dict()["momentum"][0]
    assert not optimizer.step(factor * module[0].sum())
    assert torch.equal(module[0], weights)
    assert torch.equal(optimizer.state_dict()["momentum"][0], momentum)


def test_a_shift_is_exact_and_leaves_no_trace() -> None:
    module = module_of([0.1, 0.2], [1e8])
    optimizer = WeightOptimizer(module, WeightRecipe())
    before = [weight.detach().clone() for weight in module]
    direction = [torch.tensor([1.0, 2.0]), torch.tensor([1e-3])]
    with optimizer.shifted(direction, 0.3):
        torch.testing.assert_close(module[0].detach(), torch.tensor([0.4, 0.8]))
    assert all(map(torch.equal, before, module))
    with pytest.raises(RuntimeError, match="inside"), optimizer.shifted(direction, 0.3):
        raise RuntimeError("inside")
    assert all(map(torch.equal, before, module))


def test_a_gradient_taken_after_the_shift_is_refused() -> None:
    module = module_of([0.1, 0.2])
    optimizer = WeightOptimizer(module, WeightRecipe())
    with optimizer.shifted([torch.ones(2)], 0.3):
        loss = (module[0] ** 3).sum()
    with pytest.raises(RuntimeError, match="modified"):
        optimizer.gradient(loss)


def test_it_goes_on_from_a_state() -> None:
    one, other = module_of([1.0, 2.0], [3.0]), module_of([1.0, 2.0], [3.0])
    first = WeightOptimizer(one, WeightRecipe())
    first.step((one[0] ** 2).sum())
    state = first.state_dict()
    second = WeightOptimizer(other, WeightRecipe())
    other.load_state_dict(one.state_dict())
    second.load_state_dict(state)
    for optimizer, module in ((first, one), (second, other)):
        for _ in range(3):
            optimizer.step((module[0] ** 2).sum() * module[1].sum())
    assert all(map(torch.equal, one, other))
    assert state["momentum"][1] is None


def test_contradictions_are_refused() -> None:
    with pytest.raises(ValueError, match="lower it"):
        WeightRecipe(learning_rate=0.1, least_learning_rate=0.2)
    with pytest.raises(ValueError, match="raise momentum"):
        WeightRecipe(momentum=0.0, nesterov=True)
