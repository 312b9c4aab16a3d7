"""Corruptions against hand-computed values, Pillow, scipy, colorsys and the published loops."""

from __future__ import annotations

import colorsys
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor

from nas_core.robustness.corruptions import (
    brightness,
    contrast,
    defocus_blur,
    elastic_transform,
    fog,
    gaussian_blur,
    gaussian_noise,
    glass_blur,
    impulse_noise,
    jpeg_compression,
    motion_blur,
    pixelate,
    saturate,
    shot_noise,
    snow,
    spatter,
    speckle_noise,
    zoom_blur,
)
from nas_core.robustness.filters import motion_filter
from nas_core.robustness.plasma import plasma_fractal
from nas_core.robustness.warping import sample_at, shifted_positions


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator(7), dtype=torch.float64)


@pytest.mark.parametrize(("severity", "deviation"), [(1, 0.04), (5, 0.10)])
def test_gaussian_noise_has_the_published_deviation(severity: int, deviation: float) -> None:
    noise = gaussian_noise.corrupt(torch.full((50, 3, 32, 32), 0.5), severity, generator()) - 0.5
    assert noise.mean().item() == pytest.approx(0, abs=1e-3)
    assert noise.std().item() == pytest.approx(deviation, rel=0.01)


def test_shot_noise_counts_photons() -> None:
    noisy = shot_noise.corrupt(torch.full((50, 3, 32, 32), 0.4), 5, generator())
    counts = noisy * 50
    assert torch.allclose(counts, counts.round(), atol=1e-4)
    assert noisy.mean().item() == pytest.approx(0.4, abs=2e-3)
    assert noisy.var().item() == pytest.approx(0.4 / 50, rel=0.03)


def test_impulse_noise_replaces_the_published_share_half_and_half() -> None:
    noisy = impulse_noise.corrupt(torch.full((50, 3, 32, 32), 0.5), 5, generator())
    assert sorted(noisy.unique().tolist()) == [0, 0.5, 1]
    assert (noisy == 0).float().mean().item() == pytest.approx(0.035, abs=2e-3)
    assert (noisy == 1).float().mean().item() == pytest.approx(0.035, abs=2e-3)


def test_speckle_noise_grows_with_the_value_and_spares_black() -> None:
    assert not speckle_noise.corrupt(torch.zeros(2, 1, 8, 8), 5, generator()).any()
    noisy = speckle_noise.corrupt(torch.full((50, 3, 32, 32), 0.25), 5, generator())
    assert noisy.std().item() == pytest.approx(0.2 * 0.25, rel=0.01)


def test_contrast_by_hand() -> None:
    images = torch.zeros(1, 1, 8, 8)
    images[..., 4:] = 0.8
    expected = torch.where(images > 0, 0.4 + 0.4 * 0.75, 0.4 - 0.4 * 0.75)
    assert torch.allclose(contrast.corrupt(images, 1, generator()), expected)


def test_brightness_of_gray_is_a_sum_that_stops_at_white() -> None:
    images = torch.tensor([0.0, 0.2, 0.9]).view(1, 1, 1, 3).expand(1, 1, 8, 3)
    brighter = brightness.corrupt(images, 5, generator())
    assert torch.allclose(brighter[0, 0, 0], torch.tensor([0.3, 0.5, 1.0]))


def through_hsv(images: Tensor, saturation: tuple[float, float], value: float) -> Tensor:
    def changed(pixel: list[float]) -> tuple[float, float, float]:
        h, s, v = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb(h, min(1, max(0, s * saturation[0] + saturation[1])), min(1, v + value))

    pixels = images.permute(0, 2, 3, 1)
    flat = [changed(pixel) for pixel in pixels.reshape(-1, 3).tolist()]
    return torch.tensor(flat, dtype=images.dtype).view(pixels.shape).permute(0, 3, 1, 2)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_brightness_and_saturate_equal_the_way_through_hue_saturation_value(severity: int) -> None:
    images = random_images(2, 3, 8, 8)
    images[0, :, 0] = 0.0
    images[0, :, 1] = 0.5
    images[0, 1:, 2] = 0.0
    brighter = through_hsv(images, (1, 0), brightness.SEVERITIES[severity - 1])
    assert torch.allclose(brightness.corrupt(images, severity, generator()), brighter)
    saturated = through_hsv(images, saturate.SEVERITIES[severity - 1], 0)
    assert torch.allclose(saturate.corrupt(images, severity, generator()), saturated)


@pytest.mark.parametrize(("side", "scale"), [(8, 1), (32, 1), (96, 3)])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_gaussian_blur_equals_scipy(side: int, scale: int, severity: int) -> None:
    images = random_images(2, 3, side, side)
    sigma = gaussian_blur.SEVERITIES[severity - 1] * scale
    expected = ndimage.gaussian_filter(images.numpy(), sigma, axes=(2, 3), mode="nearest", truncate=4)
    assert np.allclose(gaussian_blur.corrupt(images, severity, generator()).numpy(), expected)


def test_defocus_blur_kernels_by_hand() -> None:
    plus = torch.tensor([[0, 1, 0], [1, 1, 1], [0, 1, 0]], dtype=torch.float64) / 5
    sharp = defocus_blur.disk_kernel(1.0, 0.01)
    assert torch.allclose(sharp[1:4, 1:4], plus)
    assert sharp.sum().item() == pytest.approx(1)
    square = defocus_blur.disk_kernel(1.5, 0.01)
    assert torch.allclose(square[1:4, 1:4], torch.full((3, 3), 1 / 9, dtype=torch.float64))
    dot = defocus_blur.disk_kernel(0.3, 0.4)
    side_weight = math.exp(-0.5 / 0.4**2)
    assert dot[1, 1].item() == pytest.approx(1 / (1 + 2 * side_weight) ** 2)


def test_defocus_blur_mirrors_the_image_at_its_edges() -> None:
    images = random_images(1, 3, 32, 32)
    kernel = defocus_blur.disk_kernel(1.5, 0.1).numpy()
    expected = np.stack([ndimage.convolve(channel.numpy(), kernel, mode="mirror") for channel in images[0]])
    assert np.allclose(defocus_blur.corrupt(images, 5, generator())[0].numpy(), expected)


def test_motion_filter_smears_a_point_backward_with_one_sided_gaussian_weights() -> None:
    images = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    images[0, 0, 8, 8] = 1
    angle_degrees = torch.zeros(1, dtype=torch.float64)
    row = motion_filter(images, radius=6, sigma=1.0, angle_degrees=angle_degrees, scale=1.0)[0, 0, 8]
    weights = torch.exp(-0.5 * torch.arange(5, dtype=torch.float64) ** 2)
    assert torch.allclose(row[4:9].flip(0), weights / weights.sum())
    assert row[9:].abs().max() < 1e-12


def test_motion_blur_keeps_a_constant_image_and_the_mean_streak_share() -> None:
    assert torch.allclose(motion_blur.corrupt(torch.full((1, 1, 8, 8), 0.3), 5, generator()), torch.tensor(0.3))
    ramps = {side: torch.linspace(0, 1, side).expand(1, 1, side, side) for side in (32, 128)}
    shifts = {
        side: (motion_blur.corrupt(ramp, 5, generator()) - ramp)[..., side // 2].mean() for side, ramp in ramps.items()
    }
    assert shifts[128].item() == pytest.approx(shifts[32].item(), rel=0.15)


@pytest.mark.parametrize("side", [8, 31, 32])
def test_zoom_blur_equals_the_mean_of_scipy_magnifications(side: int) -> None:
    images = random_images(1, 1, side, side)
    middle = (side - 1) / 2
    total = images[0, 0].numpy().copy()
    for extra in range(12):
        inverse = 1 / (1 + extra / 100)
        offset = middle * (1 - inverse)
        total += ndimage.affine_transform(images[0, 0].numpy(), [inverse, inverse], offset, order=1, mode="nearest")
    assert np.allclose(zoom_blur.corrupt(images, 2, generator())[0, 0].numpy(), total / 13)


def test_glass_blur_displaces_as_the_published_loop() -> None:
    side, images = 32, random_images(3, 3, 32, 32)
    mixed = glass_blur.displaced(images, 1, 1.0, generator(4))
    draws = generator(4)
    torch.rand((3, side, side), generator=draws)
    offsets = torch.randint(-1, 1, (2, 3, side, side), generator=draws)
    expected = images.permute(0, 2, 3, 1).numpy().copy()
    for index, picture in enumerate(expected):
        for row in range(side - 1, 1, -1):
            for column in range(side - 1, 1, -1):
                down, right = offsets[:, index, row, column].tolist()
                one, other = picture[row, column], picture[row + down, column + right]
                picture[row, column], picture[row + down, column + right] = other, one
    assert np.array_equal(mixed.permute(0, 2, 3, 1).numpy(), expected)


def test_glass_blur_moves_a_quarter_of_the_pixels_of_an_8_by_8_image() -> None:
    images = torch.arange(64.0).view(1, 1, 8, 8).expand(400, 1, 8, 8) / 64
    moved = (glass_blur.displaced(images, 1, 8 / 32, generator()) != images)[..., 2:, 2:]
    assert moved.float().mean().item() == pytest.approx(0.25 * 0.75, abs=0.01)


def test_plasma_fractals_span_0_to_1_and_are_smoother_with_more_decay() -> None:
    like = torch.zeros(20, 3, 32, 32, dtype=torch.float64)
    roughness = []
    for decay in (1.4, 2.0, 3.0):
        maps = plasma_fractal(like, decay, generator())
        assert maps.shape == (20, 1, 32, 32)
        assert torch.equal(maps.amin(dim=(1, 2, 3)), torch.zeros(20, dtype=torch.float64))
        assert torch.equal(maps.amax(dim=(1, 2, 3)), torch.ones(20, dtype=torch.float64))
        roughness.append(maps.diff(dim=3).abs().mean().item())
    assert roughness == sorted(roughness, reverse=True)
    assert not torch.equal(maps[0], maps[1])


def test_fog_by_hand() -> None:
    images = random_images(4, 3, 16, 16)
    thickness, decay = fog.SEVERITIES[1]
    cloud = plasma_fractal(images, decay, generator(9))
    largest = images.amax(dim=(1, 2, 3), keepdim=True)
    expected = (images + thickness * cloud) * largest / (largest + thickness)
    assert torch.allclose(fog.corrupt(images, 2, generator(9)), expected)


@pytest.mark.parametrize("num_channels", [1, 3])
def test_snow_only_brightens(num_channels: int) -> None:
    images = random_images(8, num_channels, 32, 32)
    for severity in (1, 3, 5):
        assert (snow.corrupt(images, severity, generator()) >= images - 1e-9).all()


def test_water_brightens_and_mud_pulls_toward_brown() -> None:
    images = torch.full((20, 3, 32, 32), 0.5)
    assert (spatter.corrupt(images, 3, generator()) >= 0.5).all()
    muddy = spatter.corrupt(images, 5, generator())
    changed = muddy[:, 0] != 0.5
    assert 0.02 < changed.float().mean() < 0.5
    brown = torch.tensor(spatter.MUD_COLOR).view(3, 1, 1)
    film = (muddy - 0.5) / (brown - 0.5)
    assert film.permute(0, 2, 3, 1)[changed].min() >= 0.8 - 1e-5


@pytest.mark.parametrize("side", [8, 28, 32, 47])
@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_pixelate_equals_pillow(side: int, severity: int) -> None:
    images = random_images(1, 1, side, side).float()
    shrunken = int(side * pixelate.SEVERITIES[severity - 1])
    picture = Image.fromarray(images[0, 0].numpy())
    expected = picture.resize((shrunken, shrunken), Image.Resampling.BOX).resize((side, side), Image.Resampling.BOX)
    assert np.allclose(pixelate.corrupt(images, severity, generator())[0, 0].numpy(), np.asarray(expected), atol=1e-6)


def test_jpeg_spares_flat_images_and_hurts_noise() -> None:
    flat = torch.full((1, 3, 32, 32), 128 / 255)
    assert torch.allclose(jpeg_compression.corrupt(flat, 5, generator()), flat, atol=1.5 / 255)
    noisy = random_images(1, 3, 32, 32)
    assert (jpeg_compression.corrupt(noisy, 1, generator()) - noisy).abs().mean() > 0.01


def test_elastic_transform_without_displacement_is_affine() -> None:
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    ramp = (0.25 + (rows + columns) / 128).double().expand(3, 1, 32, 32)
    inner = elastic_transform.corrupt(ramp, 1, generator())[..., 10:22, 10:22]
    assert inner.diff(n=2, dim=3).abs().max() < 1e-6
    assert inner.diff(n=2, dim=2).abs().max() < 1e-6
    assert (inner - ramp[..., 10:22, 10:22]).abs().max() > 1e-3


def test_elastic_displacement_is_rougher_at_each_severity_from_2_on() -> None:
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    ramp = (0.25 + (rows + columns) / 128).double().expand(50, 1, 32, 32)
    curvature = [
        elastic_transform.corrupt(ramp, severity, generator())[..., 10:22, 10:22]
        .diff(n=2, dim=3)
        .square()
        .mean()
        .item()
        for severity in (2, 3, 4, 5)
    ]
    assert curvature == sorted(curvature)


def test_sampling_at_shifted_positions_moves_the_image() -> None:
    images = random_images(1, 3, 9, 13)
    zero = torch.zeros((), dtype=torch.float64)
    x, y = shifted_positions(images, zero + 2, zero + 1)
    moved = sample_at(images, x, y, outside="border")
    assert torch.allclose(moved[..., :-1, :-2], images[..., 1:, 2:])
    x, y = shifted_positions(images, zero + 0.5, zero)
    halfway = sample_at(images, x, y, outside="border")[..., :-1]
    assert torch.allclose(halfway, (images[..., 1:] + images[..., :-1]) / 2)
