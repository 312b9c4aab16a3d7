"""The corruptions by name."""

from __future__ import annotations

import pytest
import torch

from nas_core.robustness import suite


def test_benchmark_is_the_published_fifteen_and_validation_the_rest() -> None:
    assert len(suite.benchmark_names()) == 15
    assert set(suite.benchmark_names()) <= set(suite.names())
    assert suite.validation_names() == ("gaussian_blur", "saturate", "spatter", "speckle_noise")


def test_every_corruption_is_in_one_family() -> None:
    families = suite.families()
    assert tuple(families) == ("noise", "blur", "weather", "digital")
    assert sorted(name for members in families.values() for name in members) == list(suite.names())
    assert families["noise"] == ("gaussian_noise", "impulse_noise", "shot_noise", "speckle_noise")


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match="no corruption is named 'gausian_noise'; did you mean 'gaussian_noise'"):
        suite.corruption("gausian_noise")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 8, 8), "images have shape"),
        (torch.zeros(1, 2, 8, 8), "images have shape"),
        (torch.zeros(1, 3, 7, 8), "height and width must be 8 or more"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), "convert them to floating point"),
        (torch.full((1, 3, 8, 8), 1.5), "before normalization"),
        (torch.full((1, 3, 8, 8), float("nan")), "before normalization"),
    ],
)
def test_refuses_what_is_not_a_batch_of_images(images: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        suite.corruption("contrast")(images, 1, torch.Generator())
