"""Detection of out-of-distribution images, against pair counting and scikit-learn."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from nas_core.robustness.out_of_distribution import detection_metrics, energy_score, max_softmax_score

# few distinct values, so that ties are the rule
scores = st.lists(st.integers(0, 6), min_size=1, max_size=25)


@settings(deadline=None)
@given(scores, scores)
def test_equals_pair_counting_and_scikit_learn(in_values: list[int], out_values: list[int]) -> None:
    in_scores, out_scores = torch.tensor(in_values) / 8, torch.tensor(out_values) / 8
    metrics = detection_metrics(in_scores, out_scores)
    pairs = [(a > b) + 0.5 * (a == b) for a in in_values for b in out_values]
    assert metrics.auroc == pytest.approx(sum(pairs) / len(pairs))
    is_out = [0] * len(in_values) + [1] * len(out_values)
    joined = torch.cat([in_scores, out_scores]).numpy()
    assert metrics.aupr_out_positive == pytest.approx(average_precision_score(is_out, -joined))
    assert metrics.aupr_in_positive == pytest.approx(average_precision_score([1 - one for one in is_out], joined))
    false_rates, true_rates, _ = roc_curve(is_out, -joined, drop_intermediate=False)
    assert metrics.fpr_at_95_tpr == pytest.approx(false_rates[(true_rates >= 0.95).argmax()])
    assert (metrics.num_in, metrics.num_out) == (len(in_values), len(out_values))


def test_by_hand() -> None:
    # out-of-distribution first, from the lowest score: out out in out in in
    metrics = detection_metrics(torch.tensor([0.3, 0.5, 0.6]), torch.tensor([0.1, 0.2, 0.4]))
    assert metrics.auroc == pytest.approx(8 / 9)
    assert metrics.aupr_out_positive == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert metrics.aupr_in_positive == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert metrics.fpr_at_95_tpr == pytest.approx(1 / 3)


def test_perfect_and_hopeless() -> None:
    perfect = detection_metrics(torch.tensor([2.0, 3.0]), torch.tensor([0.0, 1.0]))
    assert (perfect.auroc, perfect.aupr_out_positive, perfect.fpr_at_95_tpr) == (1, 1, 0)
    hopeless = detection_metrics(torch.ones(4), torch.ones(12))
    assert (hopeless.auroc, hopeless.aupr_out_positive, hopeless.fpr_at_95_tpr) == (0.5, 0.75, 1)


def test_scores_by_hand() -> None:
    logits = torch.tensor([[math.log(3.0), 0.0], [0.0, 0.0]])
    assert torch.allclose(max_softmax_score(logits), torch.tensor([0.75, 0.5]))
    assert torch.allclose(energy_score(logits), torch.tensor([math.log(4.0), math.log(2.0)]))
    assert torch.allclose(energy_score(logits, 2.0)[1], torch.tensor(2 * math.log(2.0)))


def test_energy_does_not_overflow() -> None:
    assert energy_score(torch.tensor([[1e4, 0.0]])).item() == pytest.approx(1e4)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="temperature is 0"):
        energy_score(torch.zeros(1, 2), 0)
    with pytest.raises(ValueError, match="out_scores has shape"):
        detection_metrics(torch.ones(2), torch.ones(0))
    with pytest.raises(ValueError, match="in_scores holds a score that is not finite"):
        detection_metrics(torch.tensor([math.nan]), torch.ones(2))
