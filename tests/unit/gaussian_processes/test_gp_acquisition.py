"""The acquisition functions against closed formulas and against brute force over the joint posterior."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.acquisition.multi_objective import logei
from scipy.stats import norm
from torch import Tensor

from nas_core.acquisition import expected_improvement
from nas_core.gaussian_processes.acquisition import (
    Draws,
    LeastOutcome,
    log_expected_feasible_improvement,
    log_expected_improvement,
    log_noisy_hypervolume_improvement,
    reference_point,
)
from nas_core.gaussian_processes.regression import fitted
from nas_core.pareto import hypervolume

DRAWS = Draws(2048, 0)
NONE = torch.zeros(0, 5, dtype=torch.float64)


def bits(num_rows: int, seed: int) -> Tensor:
    return torch.from_numpy((np.random.default_rng(seed).random((num_rows, 5)) < 0.5).astype(float))


TOLD = bits(8, 0)
OUTCOME = (TOLD @ torch.tensor([1.0, -0.5, 0.7, 0.2, -1.0], dtype=torch.float64)).sub(0.2)
OTHER = (TOLD @ torch.tensor([-1.0, 0.9, 0.1, 0.3, 0.4], dtype=torch.float64)).sub(0.4)
MODEL, OTHER_MODEL = fitted(TOLD, OUTCOME, 5), fitted(TOLD, OTHER, 5)
CANDIDATES = bits(6, 1)


def drawn(rows: Tensor, number: int = 20_000) -> np.ndarray:
    """Return draws of both outcomes from the joint posterior of some rows, (number, num_rows, 2)."""
    generator = np.random.default_rng(0)
    columns = []
    for model in (MODEL, OTHER_MODEL):
        posterior = model.posterior(rows)
        mean, covariance = posterior.mean.squeeze(1).detach().numpy(), posterior.distribution.covariance_matrix
        columns.append(generator.multivariate_normal(mean, covariance.detach().numpy(), number, method="eigh"))
    return np.stack(columns, axis=2)


def test_expected_improvement_is_the_closed_formula() -> None:
    posterior = MODEL.posterior(CANDIDATES)
    mean, deviation = posterior.mean.detach().numpy()[:, 0], posterior.variance.detach().numpy()[:, 0] ** 0.5
    found = log_expected_improvement(MODEL, 0.3, DRAWS)(CANDIDATES, NONE).exp()
    z = (mean - 0.3) / deviation
    np.testing.assert_allclose(found, deviation * (z * norm.cdf(z) + norm.pdf(z)), rtol=1e-6)
    np.testing.assert_allclose(
        found, -expected_improvement(-mean, deviation, -0.3, np.random.default_rng(0)), rtol=1e-6
    )


def test_beside_what_is_pending_it_is_the_improvement_of_the_best_of_them() -> None:
    pending = bits(2, 2)
    found = log_expected_improvement(MODEL, 0.3, DRAWS)(CANDIDATES, pending).exp()
    for candidate, value in zip(CANDIDATES, found.tolist(), strict=True):
        both = drawn(torch.cat([candidate.unsqueeze(0), pending]))[..., 0]
        # the maximum is smoothed, which adds little
        assert value == pytest.approx(np.maximum(both.max(axis=1) - 0.3, 0).mean(), rel=0.05, abs=0.01)


def test_improvement_within_limits_counts_where_they_are_kept() -> None:
    limits = [LeastOutcome(1, 0.2)]
    found = log_expected_feasible_improvement([MODEL, OTHER_MODEL], 0.1, limits, DRAWS)(CANDIDATES, NONE).exp()
    for candidate, value in zip(CANDIDATES, found.tolist(), strict=True):
        outcomes = drawn(candidate.unsqueeze(0))[:, 0]
        expected = np.where(outcomes[:, 1] >= 0.2, np.maximum(outcomes[:, 0] - 0.1, 0), 0).mean()
        assert value == pytest.approx(expected, rel=0.05, abs=0.005)


def test_where_nothing_keeps_the_limits_it_is_the_probability_to_keep_them() -> None:
    limits = [LeastOutcome(1, 0.2)]
    found = log_expected_feasible_improvement([MODEL, OTHER_MODEL], None, limits, DRAWS)(CANDIDATES, NONE).exp()
    posterior = OTHER_MODEL.posterior(CANDIDATES)
    expected = norm.sf((0.2 - posterior.mean.detach().numpy()) / posterior.variance.detach().numpy() ** 0.5)[:, 0]
    np.testing.assert_allclose(found, expected, rtol=0.03, atol=0.003)


@pytest.mark.parametrize("limits", [[], [LeastOutcome(1, 0.0)]], ids=["unlimited", "limited"])
def test_hypervolume_improvement_is_the_mean_growth_over_joint_draws(limits: list[LeastOutcome]) -> None:
    reference = torch.tensor([-1.5, -1.5], dtype=torch.float64)
    draws = Draws(512, 0)
    pending = bits(1, 3)

    def volume(outcomes: np.ndarray) -> float:
        kept = [row for row in outcomes if all(row[limit.model] >= limit.threshold for limit in limits)]
        return hypervolume(-np.array(kept), (1.5, 1.5)) if kept else 0.0

    for beside in (NONE, pending):
        models = [MODEL, OTHER_MODEL]
        function = log_noisy_hypervolume_improvement(models, TOLD, reference, limits, draws)
        found = function(CANDIDATES[:3], beside).exp()
        for candidate, value in zip(CANDIDATES[:3], found.tolist(), strict=True):
            outcomes = drawn(torch.cat([candidate.unsqueeze(0), TOLD, beside]), 1500)
            growth = np.mean([volume(rows) - volume(rows[1:]) for rows in outcomes])
            assert value == pytest.approx(growth, rel=0.15, abs=0.01)


def test_the_reference_point_is_a_tenth_of_the_range_below_the_front() -> None:
    front = torch.tensor([[0.0, 5.0], [3.0, 4.5]])
    torch.testing.assert_close(reference_point(front), torch.tensor([-0.3, 4.4]))
    torch.testing.assert_close(reference_point(front[:1]), torch.tensor([-0.1, 4.9]))


def test_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(logei, "_load_attempted", False)
    monkeypatch.setattr("torch.utils.cpp_extension.load", lambda name, **settings: asked.append(name))
    log_noisy_hypervolume_improvement([MODEL, OTHER_MODEL], TOLD, torch.zeros(2).double(), [], Draws(4, 0))
    assert asked == []
    assert logei._load_attempted is False
