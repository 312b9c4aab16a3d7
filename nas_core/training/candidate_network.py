"""The network of a candidate, before anything is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nas_core.architecture import Architecture
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.task import Task

if TYPE_CHECKING:
    from torch import nn


def candidate_network(space: SearchSpace, architecture: Architecture, task: Task, streams: Streams) -> nn.Module:
    """Return the freshly initialized network of an architecture for a task, on the task's device.

    Args:
        space: builds the network.
        architecture: a member of the space.
        task: what the network takes and gives.
        streams: the source of the initial weights.

    Raises:
        ValueError: the architecture is no member of the space.
    """
    if not space.is_valid(architecture):
        raise ValueError(f"{architecture.key} is no member of space {space.name!r}; propose a valid architecture")
    return space.network(architecture, task.shape, streams.torch("initialization")).to(task.device)
