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
class HasExampleRows(Protocol):
    """Inputs that are no tensor, whose activations may have other rows than one an example."""

    def example_rows(self, num_rows: int) -> Tensor | None:
        """Return the rows (num_examples,) int64 of the examples in activations with so many rows; None if none are."""


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


def example_rows(values: Tensor, inputs: Inputs) -> Tensor | None:
    """Return the rows of values (rows, ...) that belong to the examples, one each; None if the values have none such.

    Args:
        values: computed from the inputs.
        inputs: a minibatch.
    """
    if isinstance(inputs, HasExampleRows):
        rows = inputs.example_rows(len(values))
        return None if rows is None else values[rows]
    return values if len(values) == len(inputs) else None
