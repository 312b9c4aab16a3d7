"""Networks without their normalizations, as scores need them that follow a signal through the weights alone."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class HasUnnormalized(Protocol):
    """A normalization of one's own kind, with something to put in its place."""

    def unnormalized(self) -> nn.Module:
        """Return a module that is called as this one is, and returns the features that it is given."""


def drop_normalization(module: nn.Module) -> None:
    """Put the identity in the place of every normalization below a module: batch normalizations, and `HasUnnormalized`.

    Args:
        module: is changed.
    """
    for name, child in module.named_children():
        if isinstance(child, HasUnnormalized):
            setattr(module, name, child.unnormalized())
        elif isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
            setattr(module, name, nn.Identity())
        else:
            drop_normalization(child)
