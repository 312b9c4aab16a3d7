"""JPEG compression."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nas_core.robustness.severity import at_severity

FAMILY = "digital"
# quality of the encoder, 1..95
SEVERITIES = (80, 65, 58, 50, 40)


def corrupt(images: Tensor, severity: int, generator: torch.Generator) -> Tensor:
    """Return the images after they were written as JPEG and read again, each on its own.

    Hendrycks and Dietterich (2019, arXiv:1903.12261), constants of CIFAR-10-C. Follows the paper.

    Args:
        images: (batch, channels, height, width) in 0..1; they pass through 8 bits and the processor's memory.
        severity: 1 to 5.
        generator: not drawn from; compression is deterministic.
    """
    quality = at_severity(SEVERITIES, severity)
    pixels = (images.detach().clamp(0, 1) * 255).round().to("cpu", torch.uint8).permute(0, 2, 3, 1).numpy()
    compressed = np.empty_like(pixels)
    for index, picture in enumerate(pixels):
        buffer = BytesIO()
        Image.fromarray(picture.squeeze(-1) if picture.shape[-1] == 1 else picture).save(
            buffer, "JPEG", quality=quality
        )
        compressed[index] = np.asarray(Image.open(buffer)).reshape(picture.shape)
    return torch.from_numpy(compressed).permute(0, 3, 1, 2).contiguous().to(images) / 255
