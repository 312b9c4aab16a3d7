"""The network of a chain of convolution blocks."""

from __future__ import annotations

import torch
from torch import nn

from nas_core.networks.chain import Block, Chain
from nas_core.networks.shortcut import Shortcut
from nas_core.task import TaskShape


class SeparableConvolution(nn.Module):
    """A convolution of each channel by itself, then a 1x1 convolution, with nothing between them.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, ceil(height / stride), ceil(width / stride)).
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(
            in_channels, in_channels, kernel_size, stride, padding=kernel_size // 2, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the feature map."""
        outputs: torch.Tensor = self.pointwise(self.depthwise(inputs))
        return outputs


class ChainBlock(nn.Module):
    """Convolution, batch normalization, perhaps the addition of an earlier feature map, ReLU.

    What it returns is never negative, so that a block with an identity kernel can stand behind it without effect.

    Shapes: (batch, in_channels, height, width) to (batch, out_channels, height, width).

    Args:
        convolution: to out_channels, from the channels of the input and of what is concatenated to it.
        out_channels: its filters.
        shortcut: adds an earlier feature map; where it is None and there is an earlier one, that is concatenated to
            the input.
    """

    def __init__(self, convolution: nn.Module, out_channels: int, shortcut: Shortcut | None) -> None:
        super().__init__()
        self.convolution = convolution
        self.batch_norm = nn.BatchNorm2d(out_channels)
        self.shortcut = shortcut
        self.relu = nn.ReLU()

    def forward(self, inputs: torch.Tensor, source: torch.Tensor | None = None) -> torch.Tensor:
        """Return the feature map; `source` is where the skip connection starts."""
        if source is not None and self.shortcut is None:
            inputs = torch.cat((inputs, source), dim=1)
        outputs: torch.Tensor = self.batch_norm(self.convolution(inputs))
        if source is not None and self.shortcut is not None:
            outputs = self.shortcut(outputs, source)
        rectified: torch.Tensor = self.relu(outputs)
        return rectified


class ChainNetwork(nn.Module):
    """Stages of blocks with 2x2 max pooling between them, global average pooling and a linear classifier.

    Shapes: (batch, *task.inputs) to (batch, *task.outputs).

    Args:
        task: an image task with inputs (channels, height, width) and outputs (classes,).
        chain: the blocks of each stage.
        widths: the filters of each block, arranged as the chain is.

    Attributes:
        chain: as given.
        sources: for each block of each stage the block at whose input its skip connection starts; None without one.
        channels: for each stage the channels ahead of its first block and behind each block.

    Raises:
        ValueError: the task's shape is not that of image classification.
    """

    def __init__(self, task: TaskShape, chain: Chain, widths: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        if len(task.inputs) != 3 or len(task.outputs) != 1:
            raise ValueError(
                f"{task} is not image classification; give inputs (channels, height, width) and outputs (classes,)"
            )
        self.chain = chain
        self.sources = tuple(tuple(block.source(place) for place, block in enumerate(blocks)) for blocks in chain)
        last = (task.inputs[0], *(each[-1] for each in widths))
        self.channels = tuple((first, *each) for first, each in zip(last, widths, strict=False))
        self.stages = nn.ModuleList(
            nn.ModuleList(_block(block, place, channels) for place, block in enumerate(blocks))
            for blocks, channels in zip(chain, self.channels, strict=True)
        )
        # odd sizes round up, so that the smallest images keep a pixel
        self.pooling = nn.MaxPool2d(2, ceil_mode=True)
        self.classifier = nn.Linear(last[-1], task.outputs[0])

    def blocks(self, stage: int) -> list[ChainBlock]:
        """Return the blocks of a stage."""
        blocks = self.stages[stage]
        assert isinstance(blocks, nn.ModuleList)
        return [block for block in blocks if isinstance(block, ChainBlock)]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits (batch, classes)."""
        for stage, sources in enumerate(self.sources):
            states = [self.pooling(inputs) if stage else inputs]
            for block, source in zip(self.blocks(stage), sources, strict=True):
                states.append(block(states[-1], None if source is None else states[source]))
            inputs = states[-1]
        logits: torch.Tensor = self.classifier(inputs.mean(dim=(2, 3)))
        return logits


def _block(block: Block, place: int, channels: tuple[int, ...]) -> ChainBlock:
    """Return the block at a place of a stage with these channels."""
    source = block.source(place)
    in_channels, out_channels = channels[place], channels[place + 1]
    shortcut = None
    if source is not None and block.skip.startswith("add"):
        shortcut = Shortcut(channels[source], out_channels)
    elif source is not None:
        in_channels += channels[source]
    kernel_size = int(block.operation[-1])
    convolution: nn.Module
    if block.operation.startswith("sep"):
        convolution = SeparableConvolution(in_channels, out_channels, kernel_size)
    else:
        convolution = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False)
    return ChainBlock(convolution, out_channels, shortcut)
