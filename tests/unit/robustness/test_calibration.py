"""Calibration and temperature scaling."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from torch import Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from nas_core.robustness.calibration import calibration
from nas_core.robustness.temperature_scaling import fit_temperature


def logits_and_labels(seed: int, sharpness: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(500, 5, generator=generator, dtype=torch.float64)
    labels = torch.multinomial(logits.softmax(dim=1), 1, generator=generator).squeeze(1)
    return logits * sharpness, labels


def test_by_hand() -> None:
    # probabilities .9 .1 (right), .9 .1 (wrong), .6 .4 (right)
    logits = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]]).log()
    result = calibration(logits, torch.tensor([0, 1, 0]), num_bins=10)
    # .9 in (.8, .9] or, by rounding, in (.9, 1]; both predictions share the bin
    assert result.expected_calibration_error == pytest.approx((2 * abs(0.5 - 0.9) + abs(1 - 0.6)) / 3, rel=1e-6)
    assert result.negative_log_likelihood == pytest.approx(-math.log(0.9 * 0.1 * 0.6) / 3, rel=1e-6)
    assert result.brier_score == pytest.approx((0.02 + 1.62 + 0.32) / 3, rel=1e-6)
    assert sum(one.count for one in result.bins) == 3
    assert result.bins[0].confidence is None
    assert result.bins[0].accuracy is None


def test_bins_hold_their_upper_edge() -> None:
    result = calibration(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1]), num_bins=2)
    lower, upper = result.bins
    assert (lower.low, lower.high, lower.count, lower.confidence, lower.accuracy) == (0, 0.5, 4, 0.5, 0.75)
    assert upper.count == 0
    assert result.expected_calibration_error == pytest.approx(0.25)


@settings(deadline=None)
@given(st.integers(0, 50), st.sampled_from([0.3, 1.0, 5.0]))
def test_calibration_error_equals_torchmetrics(seed: int, sharpness: float) -> None:
    logits, labels = logits_and_labels(seed, sharpness)
    expected = multiclass_calibration_error(logits.softmax(dim=1), labels, num_classes=5, n_bins=15).item()
    assert calibration(logits, labels).expected_calibration_error == pytest.approx(expected, abs=1e-6)


def test_confident_logits_give_plain_finite_numbers() -> None:
    result = calibration(torch.tensor([[1e4, 0.0], [0.0, 1e4]]), torch.tensor([1, 1]))
    assert result.negative_log_likelihood == pytest.approx(5e3)
    assert result.bins[-1].count == 2
    json.dumps(dataclasses.asdict(result), allow_nan=False)


@pytest.mark.parametrize("sharpness", [0.2, 1.0, 6.0])
def test_temperature_undoes_sharpening_and_equals_scipy(sharpness: float) -> None:
    logits, labels = logits_and_labels(0, sharpness)
    scaling = fit_temperature(logits, labels)

    def loss(log_temperature: float) -> float:
        return torch.nn.functional.cross_entropy(logits / math.exp(log_temperature), labels).item()

    expected = minimize_scalar(loss, bounds=(-4, 4), method="bounded", options={"xatol": 1e-9})
    assert scaling.temperature == pytest.approx(math.exp(expected.x), rel=1e-4)
    assert scaling.temperature == pytest.approx(sharpness, rel=0.2)
    assert scaling.negative_log_likelihood_after <= scaling.negative_log_likelihood_before
    assert not scaling.is_at_bound
    assert torch.equal(scaling(logits).argmax(dim=1), logits.argmax(dim=1))


def test_temperature_stops_at_its_bounds() -> None:
    always_right = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
    scaling = fit_temperature(always_right, torch.tensor([0, 1]))
    assert (scaling.temperature, scaling.is_at_bound) == (0.01, True)
    scaling = fit_temperature(always_right, torch.tensor([1, 0]))
    assert (scaling.temperature, scaling.is_at_bound) == (100.0, True)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (torch.zeros(2, 3), torch.tensor([0]), "logits have shape"),
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.int64), "at least one image"),
        (torch.full((1, 3), math.inf), torch.tensor([0]), "not finite"),
        (torch.zeros(1, 3), torch.tensor([3]), "labels span 3..3; there are 3 classes"),
    ],
)
def test_refusals(logits: Tensor, labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calibration(logits, labels)
    with pytest.raises(ValueError, match=message):
        fit_temperature(logits, labels)


def test_refuses_no_bins() -> None:
    with pytest.raises(ValueError, match="num_bins is 0"):
        calibration(torch.zeros(1, 2), torch.tensor([0]), num_bins=0)
