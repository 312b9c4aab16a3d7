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


class Own(nn.Module):
    """A module with arithmetic of its own, around a layer that torch counts."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 4)

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layer(first + second)
        return outputs

    def uncounted_flops(self, first: torch.Tensor, second: torch.Tensor) -> int:
        return 100 * len(first) + len(second)


class Twice(nn.Module):
    """A network that calls one module twice."""

    def __init__(self) -> None:
        super().__init__()
        self.own = Own()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.own(inputs, inputs) + self.own(inputs[:1], inputs)
        return outputs


def test_what_modules_say_of_themselves_is_added_at_each_call() -> None:
    network = Twice()
    expected = 2 * 12 * (5 + 5) + (500 + 5) + (100 + 5)
    assert flops(network, torch.zeros(5, 3)) == expected
    # and nothing stays behind
    assert flops(network, torch.zeros(5, 3)) == expected
