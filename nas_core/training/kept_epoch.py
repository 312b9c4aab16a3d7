"""Which epoch's network a training ends with: that of the last epoch, or of the one that was best on validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import nn

from nas_core.training.schedule import KeptName

if TYPE_CHECKING:
    from nas_core.training.trainer import Epoch


class KeptEpoch(Protocol):
    """Follows a training, and gives the network the weights of the epoch that is kept when it ends."""

    @property
    def validates(self) -> bool:
        """Whether the metrics on validation are needed after every epoch."""

    def of(self, history: Sequence[Epoch]) -> Epoch:
        """Return the epoch that is kept of those that were done, at least one."""

    def see(self, history: Sequence[Epoch], network: nn.Module) -> None:
        """Look at the network after the last epoch of the history."""

    def restore(self, network: nn.Module) -> None:
        """Give the network the weights and buffers that are kept."""

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that changes."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""


class LastEpoch:
    """Keeps the last epoch."""

    validates = False

    def of(self, history: Sequence[Epoch]) -> Epoch:
        """Return the last epoch."""
        return history[-1]

    def see(self, history: Sequence[Epoch], network: nn.Module) -> None:
        """Do nothing: the network itself is what is kept."""

    def restore(self, network: nn.Module) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: nothing changes."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


class BestEpoch:
    """Keeps the epoch with the highest metric on validation, the earliest at a tie.

    The metric of that epoch is the largest of many on the same examples, and so a little better than on fresh ones;
    only test examples say by how much.
    """

    validates = True

    def __init__(self, metric: str) -> None:
        """Compare epochs by the validation metric of that name, larger being better."""
        self._metric = metric
        self._weights: dict[str, torch.Tensor] = {}

    def of(self, history: Sequence[Epoch]) -> Epoch:
        """Return the best epoch."""
        return max(history, key=self._value)

    def see(self, history: Sequence[Epoch], network: nn.Module) -> None:
        """Copy the network if the last epoch is better than all before it."""
        if self.of(history) is history[-1]:
            self._weights = _copied(network.state_dict())

    def restore(self, network: nn.Module) -> None:
        """Give the network the best epoch's weights and buffers."""
        network.load_state_dict(self._weights)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of the best epoch's weights and buffers."""
        return _copied(self._weights)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a copy of such weights and buffers."""
        self._weights = _copied(state)

    def _value(self, epoch: Epoch) -> float:
        assert epoch.validation is not None
        return epoch.validation[self._metric]


def kept_epoch(name: KeptName, metric: str) -> KeptEpoch:
    """Return the rule of that name.

    Args:
        name: "last" or "best".
        metric: of the task, by which the best epoch is found.
    """
    return LastEpoch() if name == "last" else BestEpoch(metric)


def _copied(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in tensors.items()}
