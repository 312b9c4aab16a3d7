"""Synaptic flow against sums written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_core.proxies import synflow


def linear(weight: list[list[float]], bias: list[float] | None = None) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


def score(network: nn.Module, inputs: torch.Tensor) -> float:
    return synflow.score(network, inputs, torch.zeros(len(inputs), dtype=torch.long), nn.functional.cross_entropy)


def test_two_layers_by_hand() -> None:
    # Hidden units 2 and 2, R = 3 * 2 + 1 * 2 = 8; each layer's weights carry all of it.
    network = nn.Sequential(linear([[1.0, -1.0], [2.0, 0.0]]), nn.ReLU(), linear([[3.0, -1.0]]))
    assert score(network, torch.zeros(4, 2)) == pytest.approx(16.0)


def test_biases_carry_flow_but_are_not_counted() -> None:
    # Hidden units 3 and 2, R = 11: the second layer carries 11, the first all but the 3 that its bias adds.
    network = nn.Sequential(linear([[1.0, -1.0], [2.0, 0.0]], [-1.0, 0.0]), linear([[3.0, -1.0]]))
    assert score(network, torch.zeros(4, 2)) == pytest.approx(19.0)


def test_batch_normalization_is_the_identity() -> None:
    normalization = nn.BatchNorm1d(2)
    nn.init.constant_(normalization.weight, 5.0)
    network = nn.Sequential(linear([[1.0, -1.0], [2.0, 0.0]]), nn.Sequential(normalization), linear([[3.0, -1.0]]))
    assert score(network, torch.zeros(4, 2)) == pytest.approx(16.0)


def test_a_network_without_live_weights_scores_zero() -> None:
    assert score(nn.Identity(), torch.zeros(4, 2)) == 0.0


def test_overflow_is_an_error_and_no_infinity() -> None:
    network = nn.Sequential(*(linear([[1e200]]) for _ in range(2)))
    with torch.no_grad():
        for layer in network:
            layer.weight.fill_(3e38)
    deep = nn.Sequential(*[network] * 10)
    with pytest.raises(ValueError, match="beyond double precision"):
        score(deep, torch.zeros(1, 1))
