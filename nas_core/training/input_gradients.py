"""How alike the examples of a minibatch look to an untrained network: correlations of gradients by the inputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nas_core.task import Inputs
from nas_core.training.inputs import with_gradient
from nas_core.training.scoring_mode import scoring_mode
from nas_core.training.weights import finite


def input_gradients(network: nn.Module, inputs: Inputs) -> tuple[Tensor, int]:
    """Return the gradients (batch, features) float64 of the sum of all outputs by the inputs, and the outputs' width.

    In training mode, so that by way of batch normalization an example's gradient has a share from the others'; zeros
    where nothing leads from the inputs to the outputs.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch.

    Raises:
        ValueError: the inputs are no tensor, or gradients are beyond the network's number format.
    """
    if not isinstance(inputs, Tensor):
        raise ValueError(
            f"gradients by inputs of type {type(inputs).__name__} have no shape that all examples share, and cannot be "
            "correlated; use a score of the weights' gradients, such as snip"
        )
    source = with_gradient(inputs)
    with scoring_mode(network), torch.enable_grad():
        outputs = network(source)
        gradient = None
        if source.requires_grad and outputs.requires_grad:
            (gradient,) = torch.autograd.grad(outputs.sum(), source, allow_unused=True)
    rows = torch.zeros_like(inputs) if gradient is None else gradient
    rows = rows.flatten(1).double()
    finite(float(rows.abs().sum()))
    return rows, outputs.shape[1]


def correlations(rows: Tensor) -> Tensor | None:
    """Return the correlation matrix (num, num) of rows (num, features) float64; None if a row does not vary.

    A row varies if its deviations are beyond the rounding of the single precision that it was computed in.
    """
    deviations = rows - rows.mean(1, keepdim=True)
    lengths = deviations.norm(dim=1)
    if bool((lengths <= torch.finfo(torch.float32).eps * rows.norm(dim=1)).any()):
        return None
    directions = deviations / lengths[:, None]
    matrix: Tensor = directions @ directions.T
    return matrix
