"""Whether a network's confidence is how often it is right."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

NUM_BINS = 15


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose confidence lies in (low, high].

    Attributes:
        low: lower edge, excluded.
        high: upper edge, included.
        count: predictions in the bin.
        confidence: their mean confidence; None in an empty bin.
        accuracy: share of them that is right; None in an empty bin.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """Calibration of a classifier on one set of images.

    Attributes:
        expected_calibration_error: mean gap between confidence and accuracy over the bins, weighted by count, 0..1.
        negative_log_likelihood: mean of -log p(label), in nats.
        brier_score: mean over images of sum_k (p_k - [k = label])^2, 0..2.
        bins: the reliability diagram, from confidence 0 to 1.
    """

    expected_calibration_error: float
    negative_log_likelihood: float
    brier_score: float
    bins: tuple[ReliabilityBin, ...]


def calibration(logits: Tensor, labels: Tensor, num_bins: int = NUM_BINS) -> Calibration:
    """Return calibration error, likelihood, Brier score and the reliability diagram.

    ECE = sum_b (n_b / n) |accuracy_b - confidence_b| over bins of equal width, confidence the largest probability.
    Guo et al. (2017, arXiv:1706.04599). Follows the paper. The Brier score is Brier's own (1950), summed over
    classes, not divided by their number.

    Args:
        logits: (batch, classes).
        labels: (batch,), whole numbers below the number of classes.
        num_bins: 1 or more.

    Raises:
        ValueError: the arguments are not as above.
    """
    if num_bins < 1:
        raise ValueError(f"num_bins is {num_bins}; it must be 1 or more")
    logits, labels = checked(logits, labels)
    log_probabilities = logits.log_softmax(dim=1)
    probabilities = log_probabilities.exp()
    bins = reliability_bins(probabilities, labels, num_bins)
    gaps = [
        one.count * abs(one.accuracy - one.confidence)
        for one in bins
        if one.accuracy is not None and one.confidence is not None
    ]
    squares = (probabilities - functional.one_hot(labels, logits.shape[1])).square().sum(dim=1)
    return Calibration(
        expected_calibration_error=sum(gaps) / labels.numel(),
        negative_log_likelihood=functional.nll_loss(log_probabilities, labels).item(),
        brier_score=squares.mean().item(),
        bins=bins,
    )


def reliability_bins(probabilities: Tensor, labels: Tensor, num_bins: int) -> tuple[ReliabilityBin, ...]:
    """Return the bins of the reliability diagram, of equal width, empty ones included.

    Args:
        probabilities: (batch, classes), rows sum to 1.
        labels: (batch,).
        num_bins: 1 or more.
    """
    confidence, predicted = probabilities.max(dim=1)
    is_right = (predicted == labels).double()
    edges = torch.linspace(0, 1, num_bins + 1, dtype=torch.float64)
    # rounding can carry a confidence just above 1
    bin_index = (torch.bucketize(confidence, edges) - 1).clamp(0, num_bins - 1)
    bins = []
    for index in range(num_bins):
        inside = bin_index == index
        count = int(inside.sum())
        bins.append(
            ReliabilityBin(
                low=edges[index].item(),
                high=edges[index + 1].item(),
                count=count,
                confidence=confidence[inside].mean().item() if count else None,
                accuracy=is_right[inside].mean().item() if count else None,
            )
        )
    return tuple(bins)


def checked(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits, in double precision, and labels, both detached and on the CPU, or raise a ValueError."""
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or labels.numel() == 0:
        raise ValueError(
            f"logits have shape {tuple(logits.shape)}, labels {tuple(labels.shape)}; "
            "they must be (batch, classes) and (batch,), at least one image"
        )
    if not logits.isfinite().all():
        raise ValueError("logits hold a value that is not finite; check the network's outputs")
    if labels.min() < 0 or labels.max() >= logits.shape[1]:
        raise ValueError(f"labels span {int(labels.min())}..{int(labels.max())}; there are {logits.shape[1]} classes")
    return logits.detach().cpu().double(), labels.detach().cpu().long()
