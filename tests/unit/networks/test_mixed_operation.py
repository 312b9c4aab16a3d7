"""The mixed operation against sums written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from nas_core.networks.mixed import MixedOperation
from nas_core.networks.operations import Zero
from nas_core.weight_sharing.gates import Gates
from nas_core.weight_sharing.supernet import Mixing


class Times(nn.Module):
    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.factor * inputs


def mixed(channels: int, mixing: Mixing) -> MixedOperation:
    return MixedOperation(0, [lambda _: Zero(), lambda _: Times(2.0), lambda _: Times(3.0)], channels, mixing)


IMAGES = torch.arange(1.0, 5.0).reshape(1, 4, 1, 1)


def test_it_is_the_weighted_sum_times_the_strength() -> None:
    gates = Gates((torch.tensor([0.5, 0.25, 0.125]),), strengths=(torch.tensor(10.0),))
    torch.testing.assert_close(mixed(4, Mixing())(IMAGES, gates), 10.0 * (0.5 + 0.375) * IMAGES)


def test_only_active_options_add() -> None:
    gates = Gates((torch.tensor([0.5, 0.25, 0.125]),), active=((0, 2),))
    torch.testing.assert_close(mixed(4, Mixing())(IMAGES, gates), 0.375 * IMAGES)


def test_partial_channels_mix_the_first_ones_and_shuffle() -> None:
    gates = Gates((torch.tensor([0.0, 1.0, 1.0]),), strengths=(torch.tensor(0.5),))
    outputs = mixed(4, Mixing(channel_fraction=2))(IMAGES, gates)
    # Channels 1, 2 times 5, then 3, 4 as they are; shuffled in two groups; all of it halved.
    assert outputs.flatten().tolist() == [2.5, 1.5, 5.0, 2.0]


def test_a_fraction_that_does_not_divide_the_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="does not divide 4 channels"):
        mixed(4, Mixing(channel_fraction=3))
