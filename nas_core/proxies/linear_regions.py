"""How finely the ReLUs of a thin network cut up small images (Chen et al. 2021, TE-NAS, arXiv:2102.11535)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.autograd.graph import Node

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""

NUM_BATCHES = 3
"""Forward passes."""

BATCH_SIZE = 1000
"""Crops in each."""

CROP_SIZE = 3
"""Height and width of a crop in pixels."""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the number of distinct patterns in which 3 x 1000 crops of images switch the ReLUs of a thin network.

    The thin network is the given one with a single channel: every convolution makes one, whatever it gets. Its weights
    are drawn from a normal distribution of variance 2 / fan_in, biases are 0. A crop is 3 x 3 pixels of one channel of
    an image of the minibatch. Places, channels, images and weights come from a generator with a fixed seed of its own:
    every network of the same layers meets the same ones. Training mode, dropout off. The units are those of all
    `nn.ReLU` modules on feature maps that a backward pass from the outputs reaches; without any, there is one region.

    Follows the paper. Differs from the authors' code, whose thin network is built anew with one cell a stage and
    without the stem: here it has the cells and the stem of the network that is given, so give one with one cell a stage
    to compare with theirs. ReLUs in dead branches drop out. Targets and loss are not used.

    Args:
        network: unchanged afterwards.
        inputs: a minibatch of images (batch, channels, height, width), at least 3 x 3 pixels.

    Raises:
        ValueError: the inputs are no such images, or the network cannot run with one channel on 3 x 3 pixels.
    """
    import numpy as np
    import torch
    from torch import nn

    from nas_core.training.backward_graph import nothing_saved, reached
    from nas_core.training.scoring_mode import scoring_mode

    if not isinstance(inputs, torch.Tensor) or inputs.ndim != 4 or min(inputs.shape[2:]) < CROP_SIZE:
        found = tuple(inputs.shape) if isinstance(inputs, torch.Tensor) else f"of type {type(inputs).__name__}"
        raise ValueError(
            f"linear_regions crops images (batch, channels, height, width) of at least {CROP_SIZE} x {CROP_SIZE} "
            f"pixels, and the inputs are {found}; use a score that takes inputs as they are, such as synflow"
        )
    generator = torch.Generator().manual_seed(0)
    crops = _crops(inputs, NUM_BATCHES * BATCH_SIZE, generator)
    thin = copy.deepcopy(network)
    records: list[tuple[torch.Tensor, Node | None]] = []

    def record(_: nn.Module, __: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> None:
        if outputs.ndim == 4:
            records.append(((outputs.detach() > 0).flatten(1), outputs.grad_fn))

    patterns: set[bytes] = set()
    with scoring_mode(thin), torch.enable_grad(), nothing_saved():
        _make_thin(thin, crops[:2], generator)
        for module in thin.modules():
            if isinstance(module, nn.ReLU):
                module.register_forward_hook(record)
        for start in range(0, len(crops), BATCH_SIZE):
            records.clear()
            batch = crops[start : start + BATCH_SIZE].requires_grad_()
            on_the_way = reached(thin(batch))
            units = [switched for switched, node in records if node in on_the_way]
            bits = torch.cat([batch.new_zeros((len(batch), 0), dtype=torch.bool), *units], dim=1)
            patterns.update(row.tobytes() for row in np.packbits(bits.cpu().numpy(), axis=1))
    return float(len(patterns))


def _crops(images: torch.Tensor, num_crops: int, generator: torch.Generator) -> torch.Tensor:
    """Return random crops (num_crops, 1, 3, 3) of random channels of random images."""
    import torch

    height, width = images.shape[2:]
    image, channel, row, column = (
        torch.randint(limit, (num_crops, 1, 1), generator=generator).to(images.device)
        for limit in (len(images), images.shape[1], height - CROP_SIZE + 1, width - CROP_SIZE + 1)
    )
    steps = torch.arange(CROP_SIZE, device=images.device)
    return images.detach()[image, channel, row + steps[:, None], column + steps[None, :]].unsqueeze(1)


def _make_thin(network: nn.Module, crops: torch.Tensor, generator: torch.Generator) -> None:
    """Give a network, which is changed, a single channel, and draw its weights as the crops come through it.

    Raises:
        ValueError: it cannot run so.
    """
    import torch
    from torch import nn

    from nas_core.training.redrawing import kaiming, normal

    def drawn(shape: tuple[int, ...]) -> nn.Parameter:
        fan_in = torch.Size(shape[1:]).numel()
        return nn.Parameter(normal(shape, generator).to(crops) * kaiming(fan_in))

    def fit(module: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        num_channels = given[0].shape[1]
        match module:
            case nn.Conv2d():
                module.weight = drawn((1, num_channels, *module.kernel_size))
                module.register_parameter("bias", None)
                module.in_channels, module.out_channels, module.groups = num_channels, 1, 1
            case nn.Linear():
                module.weight = drawn((module.out_features, given[0].shape[-1]))
                module.register_parameter("bias", None)
                module.in_features = given[0].shape[-1]
            case nn.BatchNorm2d():
                module.register_parameter("weight", None)
                module.register_parameter("bias", None)
                module.running_mean, module.running_var, module.num_batches_tracked = None, None, None
                module.track_running_stats = False
                module.num_features = num_channels

    handles = [module.register_forward_pre_hook(fit) for module in network.modules()]
    try:
        network(crops)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"the network cannot run with one channel on {CROP_SIZE} x {CROP_SIZE} pixels ({reason}); use another score"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
