"""Temperature scaling: one number that corrects a network's confidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from nas_core.robustness.calibration import checked

LOWEST_TEMPERATURE = 0.01
HIGHEST_TEMPERATURE = 100.0
NUM_HALVINGS = 60


@dataclass(frozen=True)
class TemperatureScaling:
    """A fitted temperature: `scaling(logits)` returns logits / T.

    Attributes:
        temperature: T, 0.01..100; above 1 where the network was too sure.
        negative_log_likelihood_before: on the images of the fit at T = 1, in nats.
        negative_log_likelihood_after: on the images of the fit at T.
        is_at_bound: the likelihood still improves beyond 0.01 or 100, as when every prediction is right.
    """

    temperature: float
    negative_log_likelihood_before: float
    negative_log_likelihood_after: float
    is_at_bound: bool

    def __call__(self, logits: Tensor) -> Tensor:
        """Return logits / T, (batch, classes); the predicted classes stay."""
        return logits / self.temperature


def fit_temperature(logits: Tensor, labels: Tensor) -> TemperatureScaling:
    """Return the temperature that minimizes the negative log-likelihood of softmax(f / T).

    Guo et al. (2017, arXiv:1706.04599). Differs from the paper: the likelihood is convex in 1 / T, so its minimum is
    the root of the slope E[sum_k softmax(f / T)_k f_k - f_label], found by bisection of log T instead of L-BFGS.

    Args:
        logits: (batch, classes) of validation images, never of test images.
        labels: (batch,), whole numbers below the number of classes.

    Raises:
        ValueError: shapes or values do not fit.
    """
    logits, labels = checked(logits, labels)
    of_label = logits.gather(1, labels[:, None]).squeeze(1)

    def likelihood_loss(temperature: float) -> float:
        return functional.cross_entropy(logits / temperature, labels).item()

    def is_too_sure(temperature: float) -> bool:
        expected = ((logits / temperature).softmax(dim=1) * logits).sum(dim=1)
        return bool((expected - of_label).mean() > 0)

    low, high = math.log(LOWEST_TEMPERATURE), math.log(HIGHEST_TEMPERATURE)
    if not is_too_sure(LOWEST_TEMPERATURE):
        temperature, is_at_bound = LOWEST_TEMPERATURE, True
    elif is_too_sure(HIGHEST_TEMPERATURE):
        temperature, is_at_bound = HIGHEST_TEMPERATURE, True
    else:
        for _ in range(NUM_HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if is_too_sure(math.exp(middle)) else (low, middle)
        temperature, is_at_bound = math.exp(high), False
    return TemperatureScaling(temperature, likelihood_loss(1.0), likelihood_loss(temperature), is_at_bound)
