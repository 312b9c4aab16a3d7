"""How alike the examples of each class look to a network (Lopes et al. 2021, EPE-NAS, arXiv:2102.08099)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from nas_core.task import Inputs

if TYPE_CHECKING:
    import torch
    from torch import nn

GOAL: Literal["maximize", "minimize"] = "maximize"
UNIT = ""

OFFSET = 1e-5
"""The paper's k, which keeps the logarithm of a correlation of 0 finite."""

MAX_SUMMED_CLASSES = 100
"""The paper's threshold: with more classes, it is their differences that count."""

UNDEFINED_SCORE = -1.0
"""Score where the gradient of an example does not vary: below every other one, which is at least 0."""


def score(
    network: nn.Module,
    inputs: Inputs,
    targets: torch.Tensor,
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return how strongly the gradients by the inputs correlate within each class, and how differently the classes do.

    For each class c that the minibatch has, ``s_c`` is the sum of ``log(abs(r) + 1e-5)`` over all correlations r of its
    examples' gradients of the summed outputs by the inputs. With outputs for up to 100 classes the score is the sum of
    ``abs(s_c)``. Beyond, each s_c is divided by the class's number of examples, and the score is the sum over pairs of
    classes of ``abs(s_c - s_d)``, divided by the number of classes seen. Training mode, dropout off.

    Follows the paper. Differs from the authors' code, which beyond 100 classes counts every pair twice and leaves out
    classes with a single example; and where a gradient does not vary and so has no correlations, the score is
    `UNDEFINED_SCORE`, which ranks last. The loss is not used.

    Args:
        network: on the device of the inputs; unchanged afterwards.
        inputs: a minibatch.
        targets: classes (batch,) int64.

    Raises:
        ValueError: the inputs are no tensor, the targets are no classes, or gradients are beyond the number format.
    """
    import torch

    from nas_core.training.input_gradients import correlations, input_gradients

    if targets.ndim != 1 or targets.is_floating_point():
        raise ValueError(
            f"targets are {targets.dtype} {tuple(targets.shape)}, and epe_nas compares classes; give int64 (batch,), "
            "or use another score, such as jacob_cov"
        )
    rows, num_outputs = input_gradients(network, inputs)
    matrix = correlations(rows)
    if matrix is None:
        return UNDEFINED_SCORE
    logarithms = (matrix.abs() + OFFSET).log()
    sums, sizes = [], []
    for label in sorted(set(targets.tolist())):
        members = targets == label
        sums.append(logarithms[members][:, members].sum())
        sizes.append(members.sum())
    totals = torch.stack(sums)
    if num_outputs <= MAX_SUMMED_CLASSES:
        return float(totals.abs().sum())
    means = totals / torch.stack(sizes)
    differences = (means[:, None] - means[None, :]).abs()
    return float(differences.triu(diagonal=1).sum() / len(means))
