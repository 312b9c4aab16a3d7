"""Measurements of a network: what counts, and what stays as it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_core.training.measurement import device_name, flops, in_mode, latency_ms, num_parameters


def test_a_shared_parameter_counts_once() -> None:
    layer = nn.Linear(3, 3)
    assert num_parameters(nn.Sequential(layer, layer)) == 12


def test_flops_are_those_of_the_batch() -> None:
    assert flops(nn.Linear(3, 4), torch.zeros(5, 3)) == 2 * 5 * 12


@pytest.mark.parametrize(("warmup", "repeats"), [(-1, 1), (0, 0)])
def test_latency_needs_something_to_time(warmup: int, repeats: int) -> None:
    with pytest.raises(ValueError, match="warmup is"):
        latency_ms(nn.Identity(), torch.zeros(1), warmup=warmup, repeats=repeats)


def test_modes_are_put_back_one_by_one() -> None:
    network = nn.Sequential(nn.Identity(), nn.Identity().eval())
    with in_mode(network, training=False):
        assert not network.training
    assert [module.training for module in network.modules()] == [True, True, False]


def test_the_device_has_a_name() -> None:
    assert "threads" in device_name(torch.device("cpu"))
