"""Weights of a trained chain in the network that a morphism makes of it (arXiv:1711.04528, arXiv:1804.09081).

Every block and every channel of the child knows which one of the parent it comes from, if any, and one rule serves all
morphisms: what comes from the parent is copied; a filter that was there listens to a new channel with weight 0; new
filters are random, as those of a fresh network. So no path is dead: weights of 0 see inputs that are not 0 and learn at
the first step, and what lies before them at the second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from nas_core.networks.chain import Morphism
from nas_core.networks.chain_network import ChainBlock, ChainNetwork, SeparableConvolution

NEW = -1
"""Stands for the parent's channel that a channel comes from, where there is none."""


@dataclass(frozen=True, slots=True)
class State:
    """What the child holds before or behind a block.

    Attributes:
        place: of what it comes from among the parent's states of the same stage.
        origins: for each channel the parent's channel, or `NEW`.
    """

    place: int
    origins: tuple[int, ...]

    def among(self, place: int, num_channels: int) -> tuple[int, ...]:
        """Return the origins in the parent's state at a place; by position, where it comes from another one."""
        if place == self.place:
            return self.origins
        return tuple(index if index < num_channels else NEW for index in range(len(self.origins)))


@torch.no_grad()
def inherit(child: ChainNetwork, parent: ChainNetwork, morphism: Morphism) -> None:
    """Give a fresh network the weights that a morphism leaves of its parent's.

    Args:
        child: the network of the changed chain.
        parent: the network that the morphism applies to; it stays as it is.
        morphism: what changes.
    """
    origins = tuple(range(parent.channels[0][0]))
    for stage in range(len(parent.stages)):
        origins = _inherit_stage(child, parent, stage, morphism, origins)
    classes = range(parent.classifier.out_features)
    _fill(child.classifier.weight[:, :, None, None], parent.classifier.weight[:, :, None, None], classes, origins)
    child.classifier.bias.copy_(parent.classifier.bias)


def _inherit_stage(
    child: ChainNetwork, parent: ChainNetwork, stage: int, morphism: Morphism, origins: tuple[int, ...]
) -> tuple[int, ...]:
    """Fill the blocks of a stage; take the origins of its input's channels and return those of its output's."""
    channels, old_blocks = parent.channels[stage], parent.blocks(stage)
    states = [State(0, origins)]
    for place, (block, old_place) in enumerate(
        zip(child.blocks(stage), _parents(len(old_blocks), stage, morphism), strict=True)
    ):
        if old_place is None:
            _make_identity(block, child.blocks(stage)[place - 1])
            states.append(states[-1])
            continue
        old = old_blocks[old_place]
        rows = _kept_filters(old, block.batch_norm.num_features)
        columns = states[place].among(old_place, channels[old_place])
        source, old_source = child.sources[stage][place], parent.sources[stage][old_place]
        beside: tuple[int, ...] = ()
        if source is not None:
            beside = (NEW,) * len(states[source].origins)
            if old_source is not None and (block.shortcut is None) == (old.shortcut is None):
                beside = states[source].among(old_source, channels[old_source])
        if block.shortcut is None:
            columns += tuple(NEW if index == NEW else channels[old_place] + index for index in beside)
        else:
            _inherit_scale(block, old, rows, beside)
        _inherit_convolution(block.convolution, old.convolution, rows, columns)
        _inherit_batch_norm(block.batch_norm, old.batch_norm, rows)
        states.append(State(old_place + 1, rows))
    return states[-1].among(len(old_blocks), channels[-1])


def _parents(num_blocks: int, stage: int, morphism: Morphism) -> list[int | None]:
    """Return for each block of the child's stage the parent's; None for the one that is new."""
    places: list[int | None] = list(range(num_blocks))
    if stage == morphism.stage and morphism.action == "deepen":
        places.insert(morphism.block + 1, None)
    if stage == morphism.stage and morphism.action == "remove":
        del places[morphism.block]
    return places


def _kept_filters(block: ChainBlock, num_filters: int) -> tuple[int, ...]:
    """Return for each of the child's filters the parent's.

    Of too many, those of the largest sum of absolute weights stay (Li et al. 2017, arXiv:1608.08710), at their place if
    there still is such a place, so that additions go on to join the channels that they joined.
    """
    num_old = block.batch_norm.num_features
    if num_filters >= num_old:
        return (*range(num_old), *(NEW,) * (num_filters - num_old))
    norms = _product(block.convolution).abs().sum(dim=(1, 2, 3))
    kept = norms.argsort(descending=True, stable=True)[:num_filters].tolist()
    late = iter(sorted(index for index in kept if index >= num_filters))
    return tuple(index if index in kept else next(late) for index in range(num_filters))


def _inherit_convolution(convolution: nn.Module, old: nn.Module, rows: Sequence[int], columns: Sequence[int]) -> None:
    if isinstance(convolution, SeparableConvolution):
        depthwise, pointwise = _factors(old)
        _fill(convolution.depthwise.weight, depthwise, columns, (0,))
        _fill(convolution.pointwise.weight, pointwise, rows, columns)
    else:
        assert isinstance(convolution, nn.Conv2d)
        _fill(convolution.weight, _product(old), rows, columns)


def _inherit_batch_norm(batch_norm: nn.BatchNorm2d, old: nn.BatchNorm2d, rows: Sequence[int]) -> None:
    places = [place for place, row in enumerate(rows) if row != NEW]
    taken = [rows[place] for place in places]
    values = old.state_dict()
    for name, tensor in batch_norm.state_dict().items():
        if tensor.dim():
            tensor[places] = values[name][taken].to(tensor)


def _inherit_scale(block: ChainBlock, old: ChainBlock, rows: Sequence[int], sources: Sequence[int]) -> None:
    """Fill the weights of an addition: 0 where the parent does not add that channel to this one."""
    assert block.shortcut is not None
    for place, (row, source) in enumerate(zip(rows, sources, strict=False)):
        if row != NEW:
            joined = old.shortcut is not None and source == row and row < len(old.shortcut.scale)
            block.shortcut.scale[place] = old.shortcut.scale[row] if joined and old.shortcut is not None else 0.0


def _fill(weight: Tensor, old: Tensor, rows: Sequence[int], columns: Sequence[int]) -> None:
    """Copy the parent's weights (out, in, height, width) to the rows that come from it, zeros around its kernel.

    In these rows, new columns are 0; rows that are new stay.
    """
    margin = (weight.shape[-1] - old.shape[-1]) // 2
    places = [place for place, row in enumerate(rows) if row != NEW]
    taken = functional.pad(old, (margin,) * 4)[[rows[place] for place in places]][:, list(columns)]
    taken[:, [index for index, column in enumerate(columns) if column == NEW]] = 0.0
    weight[places] = taken.to(weight)


def _product(convolution: nn.Module) -> Tensor:
    """Return the kernel (out, in, height, width) of a convolution; of a separable one, the one kernel it comes to."""
    if isinstance(convolution, SeparableConvolution):
        return convolution.pointwise.weight * convolution.depthwise.weight[:, 0]
    assert isinstance(convolution, nn.Conv2d)
    return convolution.weight


def _factors(convolution: nn.Module) -> tuple[Tensor, Tensor]:
    """Return the depthwise (in, 1, height, width) and the pointwise (out, in, 1, 1) kernel of a convolution.

    Of a full one, they are those whose product is nearest to it in least squares: for each input channel the first
    singular vectors of the matrix of its weights, the singular value shared evenly.
    """
    if isinstance(convolution, SeparableConvolution):
        return convolution.depthwise.weight, convolution.pointwise.weight
    assert isinstance(convolution, nn.Conv2d)
    weight = convolution.weight
    # (in, out, height x width)
    left, values, right = torch.linalg.svd(weight.double().flatten(2).transpose(0, 1), full_matrices=False)
    share = values[:, :1].sqrt()
    depthwise = (share * right[:, 0]).reshape(weight.shape[1], 1, *weight.shape[2:])
    pointwise = (share * left[:, :, 0]).T[:, :, None, None]
    return depthwise.to(weight), pointwise.to(weight)


def _make_identity(block: ChainBlock, before: ChainBlock) -> None:
    """Make a block give what it is given, which is never negative: exactly in evaluation mode, nearly in training mode.

    Batch normalization undoes itself. Its statistics are those that the input has if the normal distribution is that of
    what came out of the batch normalization ahead of it, before its ReLU (which an addition there would change).
    """
    if isinstance(block.convolution, SeparableConvolution):
        nn.init.dirac_(block.convolution.depthwise.weight, groups=block.convolution.depthwise.groups)
        nn.init.dirac_(block.convolution.pointwise.weight)
    else:
        assert isinstance(block.convolution, nn.Conv2d)
        nn.init.dirac_(block.convolution.weight)
    mean, deviation = before.batch_norm.bias.double(), before.batch_norm.weight.double().abs().clamp(min=1e-12)
    ratio = mean / deviation
    above = torch.special.ndtr(ratio)
    density = torch.exp(-0.5 * ratio.square()) / math.sqrt(2 * math.pi)
    rectified_mean = mean * above + deviation * density
    second_moment = (mean.square() + deviation.square()) * above + mean * deviation * density
    variance = (second_moment - rectified_mean.square()).clamp(min=0.0)
    batch_norm = block.batch_norm
    state = batch_norm.state_dict()
    state["running_mean"].copy_(rectified_mean)
    state["running_var"].copy_(variance)
    state["weight"].copy_((state["running_var"] + batch_norm.eps).sqrt())
    state["bias"].copy_(state["running_mean"])
