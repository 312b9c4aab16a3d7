"""Scores of weights and their gradients against sums written by hand."""

from __future__ import annotations

import math
from types import ModuleType

import pytest
import torch
from torch import nn
from worked_networks import DROPPED, INPUTS, TARGETS, DeadBranch, half_square, linear, two_layers

from nas_core.proxies import fisher, grad_norm, grasp, l2_norm, plain, snip

OF_WEIGHTS = (fisher, grad_norm, grasp, l2_norm, plain, snip)
OF_GRADIENTS = (fisher, grad_norm, grasp, plain, snip)


def score(proxy: ModuleType, network: nn.Module) -> float:
    value: float = proxy.score(network, INPUTS, TARGETS, half_square)
    return value


BY_HAND = [
    # [-3, 0] is 3 long, [[-6, -12], [0, 0]] the root of 36 + 144
    (grad_norm, 3 + math.sqrt(180)),
    # 3 * -6, -1 * -12 and 2 * -3
    (snip, 18 + 12 + 6),
    (plain, -18 + 12 - 6),
    # the first layer's weights 3, -1, -1, 0 and the second's 2, 5
    (l2_norm, math.sqrt(11) + math.sqrt(29)),
    # activations 1 (of derivative -3 * 2), -1 (of 0) and 2 (of -3): half of 36 + 0 + 36
    (fisher, 36),
]


@pytest.mark.parametrize(("proxy", "expected"), BY_HAND)
def test_two_layers_by_hand(proxy: ModuleType, expected: float) -> None:
    assert score(proxy, two_layers()) == pytest.approx(expected)


@pytest.mark.parametrize(("proxy", "expected"), BY_HAND)
def test_a_bias_is_no_weight(proxy: ModuleType, expected: float) -> None:
    network = two_layers()
    for layer in (network[0], network[2]):
        layer.bias = nn.Parameter(torch.zeros(len(layer.weight)))
    assert score(proxy, network) == pytest.approx(expected)


@pytest.mark.parametrize("proxy", OF_GRADIENTS)
def test_a_dead_branch_adds_nothing(proxy: ModuleType) -> None:
    assert score(proxy, DeadBranch(two_layers(), linear([[7.0, 7.0]]))) == pytest.approx(score(proxy, two_layers()))


def test_a_length_is_known_without_a_gradient() -> None:
    network = DeadBranch(two_layers(), linear([[3.0, 4.0]]))
    assert score(l2_norm, network) == pytest.approx(score(l2_norm, two_layers()) + 5)


@pytest.mark.parametrize("proxy", OF_GRADIENTS)
def test_dropout_is_off(proxy: ModuleType) -> None:
    network = two_layers()
    before = torch.get_rng_state()
    assert score(proxy, nn.Sequential(nn.Dropout(DROPPED), network)) == score(proxy, network)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("proxy", OF_WEIGHTS)
def test_a_network_without_weights_scores_zero(proxy: ModuleType) -> None:
    assert score(proxy, nn.Identity()) == 0.0


@pytest.mark.parametrize("proxy", OF_GRADIENTS)
def test_frozen_weights_and_losses_without_gradient_add_nothing(proxy: ModuleType) -> None:
    assert score(proxy, two_layers().requires_grad_(False)) == 0.0


@pytest.mark.parametrize("proxy", OF_WEIGHTS)
def test_what_is_beyond_the_number_format_is_an_error(proxy: ModuleType) -> None:
    network = nn.Sequential(*(linear([[3e38, 0.0], [0.0, 3e38]]) for _ in range(3)))
    if proxy is l2_norm:
        network[0].weight.data.fill_(math.inf)
    with pytest.raises(ValueError, match="beyond the network's number format; score a shallower or narrower network"):
        score(proxy, network)


def test_normalization_is_by_the_minibatch() -> None:
    # y = w x / sqrt(w^2 (1 + 1e-5 / w^2)) with x = -1, 1 hardly depends on w: the gradient is nearly 0
    network = nn.Sequential(linear([[2.0]]), nn.BatchNorm1d(1)).eval()
    inputs = torch.tensor([[-1.0], [1.0]])
    assert snip.score(network, inputs, torch.zeros(2, 1), half_square) < 1e-4
    assert not network.training
    assert network[1].running_var.tolist() == [1.0]


def test_grasp_by_hand() -> None:
    # y = v w x with x = 1, w = 2, v = 3 and the target 5: the residual r is 1, g = (r v, r w) = (3, 2)
    # H = [[v^2, w v + r], [w v + r, w^2]] = [[9, 7], [7, 4]], H g = (41, 29), and the score -(2 * 41 + 3 * 29)
    network = nn.Sequential(linear([[2.0]]), linear([[3.0]]))
    assert grasp.score(network, torch.tensor([[1.0]]), torch.tensor([[5.0]]), half_square) == pytest.approx(-169)


def test_grasp_is_zero_where_gradients_do_not_depend_on_weights() -> None:
    value = grasp.score(linear([[2.0, 1.0]]), INPUTS, TARGETS, lambda outputs, targets: outputs.sum())
    assert value == 0.0


def test_the_product_of_hessian_and_gradient_by_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Tanh(), nn.Flatten(), nn.Linear(8, 3)).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    images = torch.randn(5, 1, 4, 4, generator=generator, dtype=torch.float64)
    labels = torch.arange(5) % 3
    weights = [network[0].weight, network[4].weight]
    start = [weight.detach().clone() for weight in weights]

    def gradient(directions: list[torch.Tensor], step: float) -> list[torch.Tensor]:
        with torch.no_grad():
            for weight, begin, direction in zip(weights, start, directions, strict=True):
                weight.copy_(begin + step * direction)
        loss = nn.functional.cross_entropy(network(images), labels)
        return list(torch.autograd.grad(loss, weights))

    step = 1e-5
    at_start = gradient(start, 0.0)
    ahead, behind = gradient(at_start, step), gradient(at_start, -step)
    gradient(start, 0.0)
    expected = -sum(
        float((weight * (after - before) / (2 * step)).sum())
        for weight, after, before in zip(start, ahead, behind, strict=True)
    )
    assert grasp.score(network, images, labels, nn.functional.cross_entropy) == pytest.approx(expected, rel=1e-6)


def fisher_of_convolution(*after: nn.Module) -> float:
    """The convolution gives images (1, 2) and (3, -1) as channels once and twice as bright; the loss weighs them."""
    convolution = nn.Conv2d(2, 2, 1, bias=False)
    with torch.no_grad():
        convolution.weight.copy_(torch.tensor([[1.0, 0.0], [2.0, 0.0]])[..., None, None])
    images = torch.tensor([[[[1.0, 2.0]], [[9.0, 9.0]]], [[[3.0, -1.0]], [[9.0, 9.0]]]])
    targets = torch.tensor([[[[1.0, 1.0]], [[1.0, 0.0]]], [[[0.0, 2.0]], [[1.0, 1.0]]]])
    network = nn.Sequential(convolution, *after)
    return fisher.score(network, images, targets, lambda outputs, weights: (outputs * weights).sum())


def test_fisher_of_channels_by_hand() -> None:
    # Sums over space of activation times derivative: channel 0 has 1 + 2 = 3 and -2, channel 1 has 2 and 6 - 2 = 4.
    # Half of the means of squares: (9 + 4) / 4 and (4 + 16) / 4; each once, though two weights make a channel.
    assert fisher_of_convolution() == pytest.approx(3.25 + 5.0)


def test_fisher_sees_activations_before_they_are_changed_in_place() -> None:
    # Only the activations of example 1 that are below 0 have another derivative, which is 0: -1 (of 2) and -2 (of 1).
    # Channel 0 has 3 and 0, channel 1 has 2 and 6.
    expected = (9 + 0) / 4 + (4 + 36) / 4
    assert fisher_of_convolution(nn.ReLU(inplace=True)) == pytest.approx(expected)
    assert fisher_of_convolution(nn.ReLU()) == pytest.approx(expected)


def test_fisher_of_a_linear_layer_on_places_sums_over_them() -> None:
    # One example of two places with features 1 and 2, times 3: activations 3 and 6, of derivative 1 each: 9^2 / 2
    value = fisher.score(linear([[3.0]]), torch.tensor([[[1.0], [2.0]]]), TARGETS, lambda outputs, _: outputs.sum())
    assert value == pytest.approx(40.5)
