"""Colors of images with three channels (red, green, blue) or one (gray)."""

from __future__ import annotations

from torch import Tensor

# ITU-R BT.601, the weights of the usual conversion to gray
LUMINANCE_WEIGHTS = (0.299, 0.587, 0.114)


def luminance(images: Tensor) -> Tensor:
    """Return the gray version of the images, (batch, 1, height, width); a gray image is its own."""
    if images.shape[1] == 1:
        return images
    return (images * images.new_tensor(LUMINANCE_WEIGHTS).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def tint(images: Tensor, red: float, green: float, blue: float) -> Tensor:
    """Return a color, (1, channels, 1, 1), in the channels that the images have; on gray images its luminance."""
    color = images.new_tensor([red, green, blue]).view(1, 3, 1, 1)
    return color if images.shape[1] == 3 else luminance(color)
