"""What holds for every corruption in the folder."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from sklearn.datasets import load_digits
from torch import Tensor

from nas_core.robustness import suite
from nas_core.robustness.filters import gaussian_filter

SEVERITIES = (1, 2, 3, 4, 5)
# published constants whose severities are not ordered by the distance to the clean image, and runs of them that are
ORDERED_RUNS = {
    "elastic_transform": (),  # the affine part shrinks as the displacement grows
    "frost": ((1, 2, 3),),  # the share of the image falls, which offsets what the frost adds
    "glass_blur": ((1, 4), (3, 5)),  # one pass against two
    "motion_blur": ((1, 2, 3), (4, 5)),  # 3 and 4 differ in weights beyond 6 standard deviations alone
    "saturate": ((1, 2), (3, 4, 5)),  # colors fade, then glare
    "spatter": ((1, 2, 3), (4, 5)),  # water, then mud
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def digits(count: int = 200) -> Tensor:
    return torch.tensor(load_digits().images[:count] / 16, dtype=torch.float32)[:, None]


def smooth_color_images(count: int = 64, side: int = 32) -> Tensor:
    field = gaussian_filter(torch.randn(count, 3, side, side, generator=generator(1)), sigma=2)
    return (0.5 + field / (4 * field.std())).clamp(0, 1)


def distances(name: str, images: Tensor) -> dict[int, float]:
    corrupt = suite.corruption(name)
    return {s: (corrupt(images, s, generator(2)) - images).square().mean().item() for s in SEVERITIES}


@pytest.mark.parametrize("name", suite.names())
@pytest.mark.parametrize("shape", [(3, 1, 8, 8), (2, 3, 32, 32), (2, 3, 9, 13), (2, 1, 28, 28), (1, 3, 64, 48)])
def test_gives_images_of_the_same_shape_in_range(name: str, shape: tuple[int, ...]) -> None:
    images = torch.rand(shape, generator=generator(3))
    before = images.clone()
    for severity in SEVERITIES:
        corrupted = suite.corruption(name)(images, severity, generator())
        assert corrupted.shape == images.shape
        assert corrupted.dtype == images.dtype
        assert torch.isfinite(corrupted).all()
        assert corrupted.min() >= 0
        assert corrupted.max() <= 1
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", suite.names())
def test_photograph_size_and_double_precision(name: str) -> None:
    images = torch.rand(1, 3, 224, 224, generator=generator(3), dtype=torch.float64)
    corrupted = suite.corruption(name)(images, 3, generator())
    assert corrupted.shape == images.shape
    assert corrupted.dtype == torch.float64
    assert not torch.equal(corrupted, images)


@pytest.mark.parametrize("name", suite.names())
def test_black_white_and_empty_batches(name: str) -> None:
    corrupt = suite.corruption(name)
    for value in (0.0, 1.0):
        for num_channels in (1, 3):
            corrupted = corrupt(torch.full((2, num_channels, 16, 16), value), 5, generator())
            assert torch.isfinite(corrupted).all()
    assert corrupt(torch.zeros(0, 3, 16, 16), 5, generator()).shape == (0, 3, 16, 16)


@pytest.mark.parametrize("name", suite.names())
def test_same_generator_same_images_and_no_global_randomness(name: str) -> None:
    images = smooth_color_images(4)
    corrupt = suite.corruption(name)
    state = torch.get_rng_state()
    first, second = corrupt(images, 4, generator(5)), corrupt(images, 4, generator(5))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", suite.names())
@pytest.mark.parametrize("severity", [0, 6, -1, 1.5, True])
def test_refuses_other_severities(name: str, severity: int) -> None:
    with pytest.raises(ValueError, match=r"^severity is .*; it must be an integer from 1 to 5$"):
        suite.corruption(name).function(torch.rand(1, 3, 8, 8, generator=generator()), severity, generator())


@pytest.mark.parametrize("name", suite.names())
def test_severity_orders_the_distance_on_photograph_like_images(name: str) -> None:
    distance = distances(name, smooth_color_images())
    for run in ORDERED_RUNS.get(name, (SEVERITIES,)):
        assert all(distance[low] < distance[high] for low, high in pairwise(run)), distance


@pytest.mark.parametrize("name", sorted(set(suite.names()) - {"saturate"}))
def test_severity_orders_the_distance_on_digits(name: str) -> None:
    distance = distances(name, digits())
    # 8 pixels shrink to 7, 7, 6, 6 and 5
    runs = ((1, 3), (2, 4), (1, 5)) if name == "pixelate" else ORDERED_RUNS.get(name, (SEVERITIES,))
    for run in runs:
        assert all(distance[low] < distance[high] for low, high in pairwise(run)), distance


def test_digits_at_mild_severities_stay_nearest_to_themselves() -> None:
    clean = digits(100)
    for name in suite.benchmark_names():
        for severity in (1, 2):
            corrupted = suite.corruption(name)(clean, severity, generator())
            centered, reference = (
                batch.flatten(1) - batch.flatten(1).mean(1, keepdim=True) for batch in (corrupted, clean)
            )
            similarity = torch.nn.functional.normalize(centered) @ torch.nn.functional.normalize(reference).T
            share = (similarity.argmax(dim=1) == torch.arange(100)).float().mean()
            assert share > 0.6, (name, severity, share)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", suite.names())
def test_a_generator_on_the_processor_gives_the_same_images_on_every_device(name: str) -> None:
    images = smooth_color_images(4)
    expected = suite.corruption(name)(images, 3, generator())
    corrupted = suite.corruption(name)(images.cuda(), 3, generator())
    assert corrupted.is_cuda
    assert (corrupted.cpu() - expected).abs().mean() < 1e-3
