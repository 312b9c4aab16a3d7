"""The loss and the metrics of classification, the same whatever is classified."""

from __future__ import annotations

import torch
from torch.nn import functional


def cross_entropy(outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0) -> torch.Tensor:
    """Return the mean cross entropy of logits (batch, classes) and labels (batch,).

    With label smoothing, a share of each target is spread evenly over all classes: Szegedy et al. (2016,
    arXiv:1512.00567), section 7.
    """
    return functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)


def metrics(outputs: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    """Return "accuracy" in 0..1 and "loss", the mean cross entropy, of logits (num, classes) and labels (num,)."""
    correct = outputs.argmax(dim=1) == targets
    return {"accuracy": correct.double().mean().item(), "loss": cross_entropy(outputs, targets).item()}
