"""The convolutions by the names that users type."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

# name: module, what makes the convolution there, its settings
_MAKERS: dict[str, tuple[str, str, dict[str, int]]] = {
    "gcn": ("gcn", "GCNConvolution", {}),
    "gat_1": ("gat", "GATConvolution", {"heads": 1}),
    "gat_4": ("gat", "GATConvolution", {"heads": 4}),
    "gatv2_4": ("gatv2", "GATv2Convolution", {"heads": 4}),
    "sage_mean": ("sage", "sage_mean", {}),
    "sage_max": ("sage", "SAGEMaxConvolution", {}),
    "sage_sum": ("sage", "sage_sum", {}),
    "gin": ("gin", "GINConvolution", {}),
    "cheb_3": ("cheb", "ChebyshevConvolution", {"num_terms": 3}),
    "polynomial_3": ("polynomial", "PolynomialConvolution", {"order": 3}),
    "arma": ("arma", "ARMAConvolution", {"num_stacks": 2, "num_steps": 2}),
    "kgnn": ("kgnn", "KGNNConvolution", {}),
    "transformer_4": ("transformer", "TransformerConvolution", {"heads": 4}),
    "linear": ("linear", "LinearConvolution", {}),
    "identity": ("identity", "IdentityConvolution", {}),
}
NAMES = tuple(_MAKERS)


def convolution(name: str, in_channels: int, out_channels: int) -> nn.Module:
    """Return the convolution of a name, a `gnn_space.convolutions.convolution.Convolution`.

    Args:
        name: one of NAMES.
        in_channels: channels of its input.
        out_channels: channels of its output; a multiple of the number of heads where there are heads.

    Raises:
        ValueError: for an unknown name, or channels that the convolution cannot have.
    """
    if name not in _MAKERS:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.0)[0]
        raise ValueError(f"unknown convolution {name!r}; did you mean {near!r}? allowed: {', '.join(NAMES)}")
    module, maker, settings = _MAKERS[name]
    found = getattr(importlib.import_module(f"gnn_space.convolutions.{module}"), maker)
    made: nn.Module = found(in_channels, out_channels, **settings)
    return made
