"""The Zen score against the same draws, worked layer by layer."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from worked_networks import DROPPED, DeadBranch

from nas_core.proxies import zen


def score(network: nn.Module, inputs: Tensor) -> float:
    return zen.score(network, inputs, torch.zeros(len(inputs), dtype=torch.long), nn.functional.cross_entropy)


IMAGES = torch.zeros(2, 1, 3, 3)


def convolution(*, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(1, 2, 1, bias=bias)


def by_hand(*, normalized: bool) -> float:
    """A convolution makes w_c x of each pixel x, for channels c = 0, 1 with standard normal weights w_c.

    Its answer to the change 0.01 e is 0.01 w_c e. Normalization divides w_c x by sqrt(w_c^2 var(x) + 1e-5), each batch
    by its own variance and after its own mean, and its running variance takes a tenth of w_c^2 n / (n - 1) var(x), from
    16 images of 9 pixels, n = 144.
    """
    generator = torch.Generator().manual_seed(0)
    running = torch.ones(2)
    scores = []
    for _ in range(32):
        weights = torch.randn((2, 1, 1, 1), generator=generator).flatten()
        images = torch.randn((16, 1, 3, 3), generator=generator).flatten(1)
        changed = images + 0.01 * torch.randn((16, 1, 3, 3), generator=generator).flatten(1)
        answer = torch.zeros(16)
        for channel, weight in enumerate(weights):
            maps = []
            for pixels in (weight * images, weight * changed):
                variance = pixels.var(unbiased=False)
                running[channel] = 0.9 * running[channel] + 0.1 * variance * 144 / 143
                maps.append((pixels - pixels.mean()) / (variance + 1e-5).sqrt() if normalized else pixels)
            answer += (maps[1] - maps[0]).abs().sum(1)
        scores.append(math.log(answer.mean()) + normalized * math.log(math.sqrt(running.mean())))
    return sum(scores) / 32


def test_a_convolution_by_hand() -> None:
    assert score(convolution(), IMAGES) == pytest.approx(by_hand(normalized=False), rel=1e-4)


def test_a_normalized_convolution_by_hand() -> None:
    expected = by_hand(normalized=True)
    assert score(nn.Sequential(convolution(), nn.BatchNorm2d(2)), IMAGES) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("settings", [{"momentum": None}, {"momentum": 0.5}, {"track_running_stats": False}])
def test_running_variances_are_its_own(settings: dict[str, float | bool | None]) -> None:
    normalization = nn.BatchNorm2d(2, **settings)
    if normalization.running_var is not None:
        normalization.running_var.fill_(7.0)
    nn.init.constant_(normalization.weight, 3.0)
    network = nn.Sequential(convolution(), normalization)
    assert score(network, IMAGES) == score(nn.Sequential(convolution(), nn.BatchNorm2d(2)), IMAGES)


def test_the_map_is_that_before_pooling_and_what_comes_behind_has_no_say() -> None:
    expected = score(convolution(), IMAGES)
    for pooling in (nn.AdaptiveAvgPool2d(1), nn.AvgPool2d(3)):
        assert score(nn.Sequential(convolution(bias=True), pooling, nn.Flatten()), IMAGES) == expected


def test_the_inputs_give_their_shape_alone() -> None:
    assert score(convolution(), IMAGES) == score(convolution(), IMAGES + 5)
    assert score(convolution(), torch.zeros(2, 1, 6, 6)) > score(convolution(), IMAGES)


def test_normalization_in_a_dead_branch_is_left_out() -> None:
    network = nn.Sequential(nn.BatchNorm2d(2), nn.ReLU())
    dead = nn.Sequential(nn.BatchNorm2d(2), nn.Flatten())
    images = torch.zeros(2, 2, 3, 3)
    assert score(DeadBranch(network, dead), images) == score(network, images)


@pytest.mark.parametrize("inplace", [False, True])
def test_normalization_before_a_relu_counts(inplace: bool) -> None:
    network = nn.Sequential(convolution(), nn.BatchNorm2d(2), nn.ReLU(inplace))
    without = nn.Sequential(convolution(), nn.BatchNorm2d(2))
    assert score(network, IMAGES) < score(without, IMAGES)
    assert score(network, IMAGES) == score(nn.Sequential(*without, nn.ReLU()), IMAGES)


def test_a_map_that_answers_nothing_ranks_last() -> None:
    class Silent(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return torch.zeros_like(inputs)

    network = nn.Sequential(nn.BatchNorm2d(1), Silent(), nn.BatchNorm2d(1))
    assert score(network, IMAGES) == zen.DEAD_SCORE < score(nn.Identity(), IMAGES)


def test_dropout_is_off_and_the_network_as_it_was() -> None:
    network = nn.Sequential(convolution(), nn.BatchNorm2d(2))
    before = torch.get_rng_state()
    dropping = nn.Sequential(nn.Dropout(DROPPED), network)
    state = {name: value.clone() for name, value in dropping.state_dict().items()}
    assert score(dropping, IMAGES) == score(network, IMAGES)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(value, state[name]) for name, value in dropping.state_dict().items())
    assert not any(module._forward_hooks for module in dropping.modules())


def test_a_map_beyond_the_number_format_is_an_error() -> None:
    class Huge(nn.Module):
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs * 1e30

    with pytest.raises(ValueError, match="beyond the network's number format"):
        score(nn.Sequential(Huge(), Huge()), IMAGES)


def test_what_has_no_map_is_told_so() -> None:
    with pytest.raises(ValueError, match="zen draws Gaussian images, and inputs of type Tensor are no images"):
        score(nn.Linear(2, 2), torch.zeros(3, 2))
    with pytest.raises(ValueError, match=r"zen needs a feature map .*, and no module of the network gives one"):
        score(nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), IMAGES)
