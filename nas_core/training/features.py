"""What a network's last layer sees: the features of its examples."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_core.task import Task
from nas_core.training.prediction import BATCH_SIZE, predict


def head(network: nn.Module) -> tuple[str, nn.Linear]:
    """Return the name and the module of the network's last linear layer, in the order of ``network.named_modules()``.

    Raises:
        ValueError: there is none.
    """
    found = [(name, module) for name, module in network.named_modules() if isinstance(module, nn.Linear) and name]
    if not found:
        raise ValueError(f"{type(network).__name__} has no linear layer, whose inputs are the features; give it one")
    return found[-1]


def features(network: nn.Module, task: Task, split: str, batch_size: int = BATCH_SIZE) -> tuple[Tensor, Tensor]:
    """Return the inputs (num, features) of the head in float32, and the targets (num, ...), of a split in its order.

    The network runs in evaluation mode without gradients; its weights and its mode stay as they are.

    Args:
        network: on the task's device.
        task: gives the examples.
        split: "train", "validation" or "test".
        batch_size: examples at a time.
    """
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen.append(inputs[0].detach().flatten(1).float())

    hook = head(network)[1].register_forward_pre_hook(keep)
    try:
        _, targets = predict(network, task, split, batch_size)
    finally:
        hook.remove()
    return torch.cat(seen), targets
