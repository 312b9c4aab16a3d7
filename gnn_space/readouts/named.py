"""The readouts by the names that users type."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

# name: module, class, channels of its output for each channel of its input
_MAKERS = {
    "mean": ("mean", "MeanReadout", 1),
    "max": ("max", "MaxReadout", 1),
    "sum": ("sum", "SumReadout", 1),
    "mean_max": ("mean_max", "MeanMaxReadout", 2),
    "mean_max_sum": ("mean_max_sum", "MeanMaxSumReadout", 3),
    "attention": ("attention", "AttentionReadout", 1),
    "set2set": ("set2set", "Set2SetReadout", 2),
}
NAMES = tuple(_MAKERS)


def readout(name: str, channels: int) -> nn.Module:
    """Return the readout of a name, a `gnn_space.readouts.readout.Readout`.

    Args:
        name: one of NAMES.
        channels: channels of the nodes.

    Raises:
        ValueError: for an unknown name.
    """
    module, maker, _ = _maker(name)
    found = getattr(importlib.import_module(f"gnn_space.readouts.{module}"), maker)
    made: nn.Module = found(channels)
    return made


def readout_channels(name: str, channels: int) -> int:
    """Return the channels of a readout's output; arguments and errors as in `readout`."""
    return _maker(name)[2] * channels


def _maker(name: str) -> tuple[str, str, int]:
    """Return the entry of a name."""
    if name not in _MAKERS:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)[0]
        raise ValueError(f"unknown readout {name!r}; did you mean {near!r}? allowed: {', '.join(NAMES)}")
    return _MAKERS[name]
