"""Linear regions of images with as many crops as can be counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from worked_networks import DROPPED, DeadBranch

from nas_core.proxies import linear_regions


def score(network: nn.Module, inputs: Tensor) -> float:
    targets = torch.zeros(len(inputs), dtype=torch.long)
    return linear_regions.score(network, inputs, targets, nn.functional.cross_entropy)


# An image of 3 x 3 pixels is its only crop: two patterns of signs, of which the first stands twice.
IMAGES = torch.stack([torch.eye(3), 2 * torch.eye(3), -torch.eye(3)])[:, None]


def test_the_patterns_of_a_relu_are_counted_once() -> None:
    assert score(nn.ReLU(), IMAGES) == 2


def test_every_channel_and_every_place_is_cropped() -> None:
    # three channels as one image; and a bright pixel that is in one of nine places of each crop, or beside it
    assert score(nn.ReLU(), IMAGES[:, 0][None]) == 2
    one_pixel = torch.zeros(1, 1, 7, 7)
    one_pixel[0, 0, 3, 3] = 1.0
    assert score(nn.ReLU(), one_pixel) == 10


def test_every_convolution_has_one_channel() -> None:
    # 3 x 3 pixels come to a single unit, on or off, however many channels the network has
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(20, 1, 8, 8, generator=generator)
    for channels in (1, 16):
        assert score(nn.Sequential(nn.Conv2d(1, channels, 3), nn.ReLU()), images) == 2
    grouped = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 1, groups=4), nn.ReLU())
    assert score(grouped, images) == 2


def test_channels_side_by_side_stay_so() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.left, self.right = nn.Conv2d(3, 8, 1), nn.Conv2d(3, 8, 1)
            self.both = nn.Sequential(nn.BatchNorm2d(16), nn.Conv2d(16, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))

        def forward(self, inputs: Tensor) -> Tensor:
            outputs: Tensor = self.both(torch.cat([self.left(inputs), self.right(inputs)], dim=1))
            return outputs

    images = torch.randn(20, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert score(Twice(), images) == 2


def test_weights_are_drawn_by_their_fan_in_and_normalized_in_training_mode() -> None:
    # One unit on each crop: on if the crop is brighter than the mean of the batch. The mean of 1s and 3s is between.
    images = torch.stack([torch.full((1, 3, 3), 1.0), torch.full((1, 3, 3), 3.0)])
    pooled = nn.Sequential(nn.AvgPool2d(3), nn.ReLU())
    assert score(pooled, images) == 1
    assert score(nn.Sequential(nn.AvgPool2d(3), nn.BatchNorm2d(1), nn.ReLU()).eval(), images) == 2


def test_relus_in_dead_branches_and_on_vectors_drop_out() -> None:
    images = torch.randn(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    live = nn.Sequential(nn.Conv2d(1, 1, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1, 8), nn.ReLU())
    assert score(live, images) == 2
    assert score(DeadBranch(live, nn.ReLU()), images) == 2
    assert score(nn.Sequential(nn.ReLU(), live), images) > 2


def test_without_relus_there_is_one_region() -> None:
    assert score(nn.Conv2d(1, 2, 3), IMAGES) == 1


def test_dropout_is_off() -> None:
    before = torch.get_rng_state()
    assert score(nn.Sequential(nn.Dropout(DROPPED), nn.ReLU()), IMAGES) == 2
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("inputs", [torch.zeros(2, 9), torch.zeros(2, 1, 2, 5)])
def test_what_has_no_crop_is_told_so(inputs: Tensor) -> None:
    with pytest.raises(ValueError, match=r"crops images .* of at least 3 x 3 pixels, and the inputs are \(2, "):
        score(nn.ReLU(), inputs)


def test_a_network_for_large_images_alone_is_told_so() -> None:
    with pytest.raises(ValueError, match="the network cannot run with one channel on 3 x 3 pixels"):
        score(nn.Sequential(nn.Conv2d(1, 2, 5), nn.ReLU()), torch.zeros(2, 1, 8, 8))
