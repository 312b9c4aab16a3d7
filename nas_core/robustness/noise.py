"""Random tensors that follow the generator and land where the images are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def standard_normal(shape: Sequence[int], generator: torch.Generator, like: Tensor) -> Tensor:
    """Draw from N(0, 1) on the generator's device, then move to the device and dtype of `like`.

    The same CPU generator therefore gives the same corruption on every device.
    """
    return torch.randn(tuple(shape), generator=generator, device=generator.device).to(like)


def uniform(shape: Sequence[int], low: float, high: float, generator: torch.Generator, like: Tensor) -> Tensor:
    """Draw from the interval [low, high) on the generator's device, then move to the device and dtype of `like`."""
    draws = torch.rand(tuple(shape), generator=generator, device=generator.device)
    return (low + (high - low) * draws).to(like)


def whole_numbers(shape: Sequence[int], low: int, high: int, generator: torch.Generator, like: Tensor) -> Tensor:
    """Draw integers low, ..., high - 1 on the generator's device, then move to the device of `like`."""
    return torch.randint(low, high, tuple(shape), generator=generator, device=generator.device).to(like.device)
