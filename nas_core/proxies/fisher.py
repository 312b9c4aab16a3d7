"""How much the loss would feel the loss of each channel (Turner et al. 2020, BlockSwap, arXiv:1906.04113)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the sum over channels of ``1/2 mean over the batch of (sum over space of a * dL/da)^2``.

    a is the channel's activation: the outputs of convolutions and linear layers, before any normalization; L is the
    loss of the minibatch. The network is in training mode with dropout off; activations in a dead branch have no
    gradient and add nothing. A layer that runs twice has two activations.

    Follows the paper, after Theis et al. 2018 (arXiv:1801.05787). Differs from the code of Abdelfattah et al. 2021
    (arXiv:2101.08134), which counts a channel's value once for each of the weights that make the channel. Differs from
    the paper on graphs, which it does not consider: where a row of an activation is a node, it stands as an example of
    the batch; matrices that a graph layer multiplies by itself have no activation of their own.

    Raises:
        ValueError: gradients are beyond the network's number format.
    """
    import torch
    from torch import nn

    from nas_core.training.scoring_mode import scoring_mode
    from nas_core.training.weights import finite

    convolutions = nn.Conv1d | nn.Conv2d | nn.Conv3d
    activations: list[tuple[torch.Tensor, bool]] = []

    def record(module: nn.Module, _: tuple[torch.Tensor, ...], outputs: torch.Tensor) -> torch.Tensor:
        activations.append((outputs, isinstance(module, convolutions)))
        # What comes next may change its input in place, and shall not change what is recorded.
        return outputs.clone()

    handles = [
        module.register_forward_hook(record)
        for module in network.modules()
        if isinstance(module, convolutions | nn.Linear)
    ]
    try:
        with scoring_mode(network), torch.enable_grad():
            value = loss(network(inputs), targets)
            known = [(activation, first) for activation, first in activations if activation.requires_grad]
            if not known or not value.requires_grad:
                return 0.0
            gradients = torch.autograd.grad(value, [activation for activation, _ in known], allow_unused=True)
    finally:
        for handle in handles:
            handle.remove()
    total = 0.0
    for (activation, channels_first), gradient in zip(known, gradients, strict=True):
        if gradient is not None:
            products = activation.detach().double() * gradient.double()
            by_channel = products if channels_first else products.movedim(-1, 1)
            sums = by_channel.unsqueeze(-1).flatten(2).sum(2)
            total += float(sums.square().mean(0).sum()) / 2
    return finite(total)
