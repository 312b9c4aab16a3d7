"""The corruptions by name, and the sets of them in which robustness is reported."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from nas_core.robustness import corruptions

FAMILIES = ("noise", "blur", "weather", "digital")


@dataclass(frozen=True)
class Corruption:
    """A corruption by name: `corruption(images, severity, generator)` returns the corrupted images.

    Attributes:
        name: the file's name in the folder `corruptions`.
        family: "noise", "blur", "weather" or "digital".
        function: the file's `corrupt`.
    """

    name: str
    family: str
    function: Callable[[Tensor, int, torch.Generator], Tensor]

    def __call__(self, images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
        """Return the corrupted images, of the same shape, dtype and device, in 0..1.

        Values are not rounded to 8 bits, except by JPEG. The same generator state gives the same result.

        Args:
            images: (batch, channels, height, width), floating point in 0..1; 1 or 3 channels,
                sides of 8 pixels or more.
            severity: 1 to 5.
            generator: source of randomness; on any device.

        Raises:
            ValueError: the images or the severity are not as above.
        """
        check_images(images)
        return self.function(images, severity, generator)


def names() -> tuple[str, ...]:
    """Return the names of all corruptions, in the order of the alphabet."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(corruptions.__path__)))


def benchmark_names() -> tuple[str, ...]:
    """Return the 15 corruptions over which the mean corruption error is taken.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), in the order of the paper's tables.
    """
    return (
        "gaussian_noise", "shot_noise", "impulse_noise",
        "defocus_blur", "glass_blur", "motion_blur", "zoom_blur",
        "snow", "frost", "fog", "brightness",
        "contrast", "elastic_transform", "pixelate", "jpeg_compression",
    )  # fmt: skip


def validation_names() -> tuple[str, ...]:
    """Return the corruptions on which choices may be made, because the benchmark leaves them out."""
    return tuple(name for name in names() if name not in benchmark_names())


def families() -> dict[str, tuple[str, ...]]:
    """Return the names of all corruptions by family."""
    members = [corruption(name) for name in names()]
    return {family: tuple(one.name for one in members if one.family == family) for family in FAMILIES}


def corruption(name: str) -> Corruption:
    """Return the corruption of that name.

    Raises:
        ValueError: there is no such corruption; the message suggests the nearest name.
    """
    if name not in names():
        nearest = difflib.get_close_matches(name, names(), n=1, cutoff=0.0)[0]
        raise ValueError(f"no corruption is named {name!r}; did you mean {nearest!r}? There are: {', '.join(names())}")
    module = importlib.import_module(f"{corruptions.__name__}.{name}")
    return Corruption(name, module.FAMILY, module.corrupt)


def check_images(images: Tensor) -> None:
    """Raise a ValueError that says what is wrong if the images cannot be corrupted."""
    if images.ndim != 4 or images.shape[1] not in (1, 3):
        received = tuple(images.shape)
        raise ValueError(f"images have shape {received}; they must be (batch, 1 or 3 channels, height, width)")
    if min(images.shape[-2:]) < 8:
        raise ValueError(f"images are {images.shape[2]} x {images.shape[3]}; height and width must be 8 or more")
    if not images.is_floating_point():
        raise ValueError(
            f"images are {images.dtype}; convert them to floating point in 0..1 (divide 8-bit ones by 255)"
        )
    if images.numel() and not (images.min() >= 0 and images.max() <= 1):
        low, high = images.min().item(), images.max().item()
        raise ValueError(f"image values span {low:g}..{high:g}; corruptions take images in 0..1, before normalization")
