"""NASWOT against a kernel written by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from nas_core.proxies import naswot


def score(network: nn.Module, inputs: torch.Tensor) -> float:
    return naswot.score(network, inputs, torch.zeros(len(inputs), dtype=torch.long), nn.functional.cross_entropy)


class DeadBranch(nn.Module):
    """Two ReLUs, of which the second reaches no output."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.dead_relu = nn.ReLU()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.dead_relu(inputs[:, :1])
        outputs: torch.Tensor = self.relu(inputs)
        return outputs


IMAGES = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, -1.0]])


@pytest.mark.parametrize("inplace", [False, True])
def test_hand_worked_kernel(inplace: bool) -> None:
    # Codes 101 and 110: K = [[3, 1], [1, 3]], of determinant 8.
    assert score(nn.Sequential(nn.Identity(), nn.ReLU()), IMAGES) == pytest.approx(math.log(8))
    network = nn.Sequential(nn.Conv1d(1, 1, 1, bias=False), nn.ReLU(inplace))
    nn.init.ones_(network[0].weight)
    assert score(network, IMAGES[:, None]) == pytest.approx(math.log(8))


def test_the_kernels_of_several_relus_are_added() -> None:
    # The second ReLU sees numbers of at least 0 and gives the same codes, so that K doubles: determinant 4 * 8.
    assert score(nn.Sequential(nn.ReLU(), nn.ReLU()), IMAGES) == pytest.approx(math.log(32))


def test_zero_counts_as_off() -> None:
    # Codes 1000 and 0111: no unit agrees, so that K = diag(4, 4).
    images = torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]])
    assert score(nn.ReLU(), images) == pytest.approx(math.log(16))


def test_relus_in_dead_branches_drop_out() -> None:
    assert score(DeadBranch(), IMAGES) == pytest.approx(math.log(8))


@pytest.mark.parametrize("network", [nn.ReLU(), nn.Identity()])
def test_a_singular_kernel_ranks_last(network: nn.Module) -> None:
    value = score(network, torch.tensor([[1.0, -1.0], [2.0, -3.0]]))
    assert value == naswot.SINGULAR_SCORE
    assert value < score(nn.ReLU(), torch.tensor([[1.0]])) == 0.0


def test_dropout_is_off() -> None:
    before = torch.get_rng_state()
    assert score(nn.Sequential(nn.Dropout(0.9), nn.ReLU()), IMAGES) == pytest.approx(math.log(8))
    assert torch.equal(torch.get_rng_state(), before)
