from __future__ import annotations

import torch

from nas_core.training.augmentation import flip, shift


def test_shift_moves_each_image_by_its_own_offset() -> None:
    images = torch.arange(1, 10, dtype=torch.uint8).view(1, 1, 3, 3).repeat(3, 1, 1, 1)
    moved = shift(images, torch.tensor([[1, 1], [0, 1], [1, 2]]), margin=1)
    assert moved[0, 0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    assert moved[1, 0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert moved[2, 0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]


def test_shift_keeps_channels_apart() -> None:
    images = torch.randint(1, 255, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    moved = shift(images, torch.tensor([[2, 2], [3, 1]]), margin=2)
    assert torch.equal(moved[0], images[0])
    assert torch.equal(moved[1, :, :7, 1:], images[1, :, 1:, :7])


def test_flip_mirrors_only_where_told() -> None:
    images = torch.tensor([[[[1, 2, 3]]], [[[4, 5, 6]]]])
    assert flip(images, torch.tensor([True, False])).flatten().tolist() == [3, 2, 1, 4, 5, 6]
