"""Scores of gradients by the inputs, and of the neural tangent kernel, against matrices written by hand."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from worked_networks import DROPPED, DeadBranch, linear

from nas_core.proxies import epe_nas, jacob_cov, ntk_condition_number

K = 1e-5

# A ReLU's gradient is 1 where it is on: 101 and 110. Deviations (1, -2, 1) / 3 and (1, 1, -2) / 3 correlate by -1/2.
IMAGES = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])
TWINS = torch.tensor([[2.0, -1.0, 1.0], [1.0, -3.0, 1.0]])
FLAT = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]])


def score(proxy: ModuleType, network: nn.Module, inputs: Tensor, labels: list[int] | None = None) -> float:
    targets = torch.zeros(len(inputs), dtype=torch.long) if labels is None else torch.tensor(labels)
    value: float = proxy.score(network, inputs, targets, nn.functional.cross_entropy)
    return value


def summed(*eigenvalues: float) -> float:
    return -sum(math.log(value + K) + 1 / (value + K) for value in eigenvalues)


def test_jacob_cov_by_hand() -> None:
    assert score(jacob_cov, nn.ReLU(), IMAGES) == pytest.approx(summed(1.5, 0.5))
    assert score(jacob_cov, DeadBranch(nn.ReLU(), nn.Linear(3, 3)), IMAGES) == pytest.approx(summed(1.5, 0.5))


def test_jacob_cov_of_examples_that_look_the_same() -> None:
    # the eigenvalues of a matrix of ones
    assert score(jacob_cov, nn.ReLU(), TWINS) == pytest.approx(summed(2.0, 0.0), rel=1e-6)


@pytest.mark.parametrize("network", [nn.ReLU(), nn.Hardtanh(-0.1, 0.1)])
def test_examples_without_correlation_rank_last(network: nn.Module) -> None:
    # All units of an example are on, or none of any is: a gradient that does not vary.
    value = score(jacob_cov, network, FLAT)
    assert value == pytest.approx(summed(0.0, 0.0))
    assert value < score(jacob_cov, nn.ReLU(), TWINS)
    assert score(epe_nas, network, FLAT) == epe_nas.UNDEFINED_SCORE < score(epe_nas, nn.ReLU(), TWINS)


def test_inputs_that_reach_no_output_rank_last() -> None:
    network = DeadBranch(nn.Linear(3, 3), nn.ReLU())
    nn.init.zeros_(network.live.weight)
    assert score(jacob_cov, network, IMAGES) == pytest.approx(summed(0.0, 0.0))
    assert score(epe_nas, network, IMAGES) == epe_nas.UNDEFINED_SCORE


def test_rounding_is_no_variation() -> None:
    # Every feature has the gradient 1/3, of which no double is the mean.
    network = nn.Sequential(linear([[1 / 3] * 7]))
    assert score(epe_nas, network, torch.ones(2, 7)) == epe_nas.UNDEFINED_SCORE


def test_epe_nas_of_few_classes_by_hand() -> None:
    one_class = 2 * math.log(1 + K) + 2 * math.log(0.5 + K)
    assert score(epe_nas, nn.ReLU(), IMAGES) == pytest.approx(abs(one_class))
    # a class of two that look the same, and a class of one
    inputs = torch.cat([IMAGES, TWINS, IMAGES[:1]])
    found = score(epe_nas, nn.ReLU(), inputs, [1, 1, 0, 0, 2])
    assert found == pytest.approx(abs(one_class) + 4 * math.log(1 + K) + math.log(1 + K))


@pytest.mark.parametrize("num_classes", [100, 101])
def test_epe_nas_compares_classes_where_there_are_more_than_a_hundred(num_classes: int) -> None:
    # All outputs but the first are 0, so that the gradients are those of the ReLU.
    network = nn.Sequential(nn.ReLU(), linear([[1.0] * 3] + [[0.0] * 3] * (num_classes - 1)))
    inputs = torch.cat([IMAGES, TWINS, IMAGES[:1]])
    found = score(epe_nas, network, inputs, [1, 1, 0, 0, 99])
    sums = [2 * math.log(1 + K) + 2 * math.log(0.5 + K), 4 * math.log(1 + K), math.log(1 + K)]
    if num_classes <= 100:
        assert found == pytest.approx(sum(map(abs, sums)))
    else:
        first, second, third = sums[0] / 2, sums[1] / 2, sums[2]
        assert found == pytest.approx((abs(first - second) + abs(first - third) + abs(second - third)) / 3)


@pytest.mark.parametrize("targets", [torch.zeros(2), torch.zeros(2, 4, dtype=torch.long)])
def test_epe_nas_needs_classes(targets: Tensor) -> None:
    with pytest.raises(ValueError, match="and epe_nas compares classes; give int64"):
        epe_nas.score(nn.ReLU(), IMAGES, targets, nn.functional.mse_loss)


@pytest.mark.parametrize("proxy", [jacob_cov, epe_nas, ntk_condition_number])
def test_dropout_is_off(proxy: ModuleType) -> None:
    network = nn.Sequential(nn.ReLU(), linear([[1.0, 2.0, 3.0]]))
    before = torch.get_rng_state()
    assert score(proxy, nn.Sequential(nn.Dropout(DROPPED), network), IMAGES) == score(proxy, network, IMAGES)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("proxy", [jacob_cov, epe_nas])
def test_gradients_beyond_the_number_format_are_an_error(proxy: ModuleType) -> None:
    network = nn.Sequential(linear([[3e38] * 3] * 3), linear([[3e38] * 3]))
    with pytest.raises(ValueError, match="beyond the network's number format"):
        score(proxy, network, IMAGES)


def test_the_kernel_of_a_linear_layer_by_hand() -> None:
    # The gradient of the summed outputs by each row of weights is the input: whatever the weights, the kernel of (1, 0)
    # and (1, 1) is a multiple of [[1, 1], [1, 2]], of eigenvalues (3 +- sqrt(5)) / 2.
    inputs = torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    expected = (3 + math.sqrt(5)) / (3 - math.sqrt(5))
    assert score(ntk_condition_number, nn.Linear(2, 3), inputs) == pytest.approx(expected)
    dead = DeadBranch(nn.Linear(2, 3), nn.Linear(2, 2))
    assert score(ntk_condition_number, dead, inputs) == pytest.approx(expected)


def test_the_kernel_of_drawn_weights_by_hand() -> None:
    # y = v w x: gradients (v x, w x) of x = 1 and (v z, w z) of z = 2 are parallel, so that the kernel is singular;
    # with a ReLU between that is off for x = -1, that example has no gradient at all.
    network = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1, bias=False))
    for inputs in (torch.tensor([[1.0], [2.0]]), torch.tensor([[-1.0], [1.0]])):
        assert score(ntk_condition_number, network, inputs) == ntk_condition_number.SINGULAR_SCORE


def test_weights_are_drawn_by_their_fan_out() -> None:
    # The kernel of (1, 0) and (0, 1) behind a hidden layer of one unit, h = w x, y = v h with two outputs:
    # gradient by v: h for each output; by w: sum(v) x. K[i, j] = 2 w_i w_j + s^2 [i = j], so that its eigenvalues are
    # s^2 and s^2 + 2 ||w||^2. The variance of w is 2 / 1, that of v 2 / 2.
    generator = torch.Generator().manual_seed(0)
    conditions = []
    for _ in range(3):
        w = torch.randn((1, 2), generator=generator) * math.sqrt(2)
        v = torch.randn((2, 1), generator=generator)
        conditions.append(float(1 + 2 * w.square().sum() / v.sum().square()))
    found = score(ntk_condition_number, nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 2)), torch.eye(2))
    assert found == pytest.approx(sum(conditions) / 3)


@pytest.mark.parametrize("network", [nn.Identity(), nn.Linear(3, 2).requires_grad_(False)])
def test_a_kernel_of_no_weights_is_singular(network: nn.Module) -> None:
    assert score(ntk_condition_number, network, IMAGES) == ntk_condition_number.SINGULAR_SCORE
