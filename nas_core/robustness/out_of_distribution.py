"""Telling images of no known class from those of the test set, by a score of the logits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DETECTED_SHARE = 0.95


@dataclass(frozen=True)
class DetectionMetrics:
    """How well a score tells out-of-distribution images from in-distribution ones.

    Out-of-distribution is the positive class, as in OpenOOD (Yang et al. 2022, arXiv:2210.07242), but for
    `aupr_in_positive`.

    Attributes:
        auroc: probability that an out image scores below an in image, ties counted half; 0.5 is chance.
        aupr_out_positive: average precision with out-of-distribution positive.
        aupr_in_positive: average precision with in-distribution positive.
        fpr_at_95_tpr: share of in images taken for out when at least 95 % of the out images are detected.
        num_in: in-distribution images.
        num_out: out-of-distribution images.
    """

    auroc: float
    aupr_out_positive: float
    aupr_in_positive: float
    fpr_at_95_tpr: float
    num_in: int
    num_out: int


def max_softmax_score(logits: Tensor) -> Tensor:
    """Return max_k softmax(f)_k, (batch,); higher is more in-distribution.

    Hendrycks and Gimpel (2017, arXiv:1610.02136). Follows the paper.

    Args:
        logits: (batch, classes).
    """
    return logits.softmax(dim=1).amax(dim=1)


def energy_score(logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return T logsumexp(f / T), (batch,), the negative free energy; higher is more in-distribution.

    Liu et al. (2020, arXiv:2010.03759). Follows the paper.

    Args:
        logits: (batch, classes).
        temperature: T, above 0.

    Raises:
        ValueError: temperature is not above 0.
    """
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}; it must be above 0")
    return temperature * torch.logsumexp(logits / temperature, dim=1)


def detection_metrics(in_scores: Tensor, out_scores: Tensor) -> DetectionMetrics:
    """Return how well a threshold on the score tells the two sets apart. Equal scores are told apart by no threshold.

    Args:
        in_scores: (num_in,), scores of in-distribution images; higher is more in-distribution.
        out_scores: (num_out,), scores of out-of-distribution images.

    Raises:
        ValueError: a set is empty, not one-dimensional, or has a score that is not finite.
    """
    for name, scores in (("in_scores", in_scores), ("out_scores", out_scores)):
        if scores.ndim != 1 or scores.numel() == 0:
            raise ValueError(f"{name} has shape {tuple(scores.shape)}; it must be one score an image, at least one")
        if not scores.isfinite().all():
            raise ValueError(f"{name} holds a score that is not finite; check the network's outputs")
    detected_in, detected_out = detected_counts(-in_scores, -out_scores)
    num_in, num_out = in_scores.numel(), out_scores.numel()
    false_positive_rate, true_positive_rate = detected_in / num_in, detected_out / num_out
    start = true_positive_rate.new_zeros(1)
    is_enough = true_positive_rate >= DETECTED_SHARE
    kept_out, kept_in = detected_counts(out_scores, in_scores)
    return DetectionMetrics(
        auroc=torch.trapezoid(torch.cat([start, true_positive_rate]), torch.cat([start, false_positive_rate])).item(),
        aupr_out_positive=average_precision(detected_in, detected_out),
        aupr_in_positive=average_precision(kept_out, kept_in),
        fpr_at_95_tpr=false_positive_rate[is_enough][0].item(),
        num_in=num_in,
        num_out=num_out,
    )


def detected_counts(negative_scores: Tensor, positive_scores: Tensor) -> tuple[Tensor, Tensor]:
    """Return how many negatives and positives score at or above each distinct score, from the highest score down."""
    scores = torch.cat([negative_scores, positive_scores]).detach().cpu()
    is_positive = torch.arange(scores.numel()) >= negative_scores.numel()
    thresholds, level = torch.unique(scores, return_inverse=True)
    num_levels = thresholds.numel()
    num_negatives = torch.bincount(level[~is_positive], minlength=num_levels).flip(0).cumsum(0)
    num_positives = torch.bincount(level[is_positive], minlength=num_levels).flip(0).cumsum(0)
    return num_negatives.double(), num_positives.double()


def average_precision(num_false: Tensor, num_true: Tensor) -> float:
    """Return sum_i (recall_i - recall_{i-1}) precision_i over thresholds from the highest down, without interpolation.

    Args:
        num_false: (thresholds,), negatives at or above each threshold.
        num_true: (thresholds,), positives at or above each threshold.
    """
    precision = num_true / (num_true + num_false)
    recall_gain = num_true.diff(prepend=num_true.new_zeros(1)) / num_true[-1]
    return (recall_gain * precision).sum().item()
