"""What training-free scores ask of a minibatch: of a tensor by torch's own means, of any other value by its methods."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from nas_core.task import Inputs


@runtime_checkable
class HasOnes(Protocol):
    """Inputs that are no tensor, of which there is one that carries a signal of ones."""

    def ones(self, dtype: torch.dtype) -> Inputs:
        """Return inputs of the same shape or structure with every feature 1, in a number format."""


@runtime_checkable
class HasGradient(Protocol):
    """Inputs that are no tensor, with features that gradients can flow to."""

    def with_gradient(self) -> Inputs:
        """Return the same inputs with features that require a gradient, cut off from where they came from."""


@runtime_checkable
class HasRowExamples(Protocol):
    """Inputs that are no tensor, whose activations may have other rows than one an example."""

    def row_examples(self) -> Tensor:
        """Return the example (num_rows,) int64 that each row that goes into a network is of, -1 for none."""


@runtime_checkable
class KeepsRows(Protocol):
    """What a module returns that has left out some of the rows that it was given."""

    def kept_rows(self, values: Tensor) -> Tensor:
        """Return the values (num_kept, ...) of the rows that are left, out of those (num_rows, ...) of all rows."""


def ones(inputs: Inputs, dtype: torch.dtype) -> Inputs:
    """Return inputs of the same shape or structure with every feature 1.

    Raises:
        ValueError: the inputs are no tensor and do not say how.
    """
    if isinstance(inputs, Tensor):
        return torch.ones_like(inputs, dtype=dtype)
    if isinstance(inputs, HasOnes):
        return inputs.ones(dtype)
    raise ValueError(f"inputs of type {type(inputs).__name__} have no method ones(dtype); add it to their class")


def with_gradient(inputs: Inputs) -> Inputs:
    """Return the inputs with features that require a gradient, as far as these are fractional numbers.

    Raises:
        ValueError: the inputs are no tensor and do not say how.
    """
    if isinstance(inputs, Tensor):
        return inputs.detach().requires_grad_(inputs.is_floating_point())
    if isinstance(inputs, HasGradient):
        return inputs.with_gradient()
    raise ValueError(f"inputs of type {type(inputs).__name__} have no method with_gradient(); add it to their class")
