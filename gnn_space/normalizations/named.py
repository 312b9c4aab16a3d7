"""The normalizations by the names that users type."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

# name: module, class
_MAKERS = {
    "none": ("none", "NoNormalization"),
    "batch_norm": ("batch_norm", "BatchNormalization"),
    "layer_norm": ("layer_norm", "LayerNormalization"),
    "graph_norm": ("graph_norm", "GraphNormalization"),
}
NAMES = tuple(_MAKERS)


def normalization(name: str, channels: int) -> nn.Module:
    """Return the normalization of a name, a `gnn_space.normalizations.normalization.Normalization`.

    Args:
        name: one of NAMES.
        channels: channels of x.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in _MAKERS:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)[0]
        raise ValueError(f"unknown normalization {name!r}; did you mean {near!r}? allowed: {', '.join(NAMES)}")
    module, maker = _MAKERS[name]
    found = getattr(importlib.import_module(f"gnn_space.normalizations.{module}"), maker)
    made: nn.Module = found(channels)
    return made
