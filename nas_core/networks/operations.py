"""Operations that keep the shape of a feature map: the options on the edges of a cell."""

from __future__ import annotations

import torch
from torch import nn


class ReluConvBatchNorm(nn.Sequential):
    """ReLU, convolution without bias, batch normalization, in this order.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, ceil(height / stride), ceil(width / stride)).

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: odd; the padding is half of it, rounded down.
        stride: of the convolution.
        affine: whether batch normalization has a learnable scale and shift.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1, affine: bool = True
    ) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv = nn.Conv2d(
            in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False
        )
        self.batch_norm = nn.BatchNorm2d(out_channels, affine=affine)


class RectifiedConvolution(nn.Sequential):
    """A convolution, batch normalization, ReLU, in this order.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width), as the convolution makes it.

    Args:
        convolution: without bias.
        out_channels: channels of what it returns.
        affine: whether batch normalization has a learnable scale and shift.
    """

    def __init__(self, convolution: nn.Module, out_channels: int, *, affine: bool = True) -> None:
        super().__init__()
        self.conv = convolution
        self.batch_norm = nn.BatchNorm2d(out_channels, affine=affine)
        self.relu = nn.ReLU()


def same_convolution(in_channels: int, out_channels: int, kernel_size: int) -> nn.Conv2d:
    """Return a convolution without bias that keeps height and width; the kernel size is odd."""
    return nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)


class Zero(nn.Module):
    """No connection: zeros in the shape of the input, through which no gradient flows."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return zeros in the shape of the input, which take no memory."""
        return inputs.new_zeros(()).expand_as(inputs)
