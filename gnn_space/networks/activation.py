"""The activations of the space, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

NAMES = ("relu", "elu", "tanh", "leaky_relu", "gelu", "none")


def activation(name: str) -> nn.Module:
    """Return an activation; none of them has parameters.

    Raises:
        ValueError: for an unknown name.
    """
    from torch import nn

    match name:
        case "relu":
            return nn.ReLU()
        case "elu":
            return nn.ELU()
        case "tanh":
            return nn.Tanh()
        case "leaky_relu":
            return nn.LeakyReLU(0.2)
        case "gelu":
            return nn.GELU()
        case "none":
            return nn.Identity()
        case _:
            raise ValueError(f"unknown activation {name!r}; allowed: {', '.join(NAMES)}")
