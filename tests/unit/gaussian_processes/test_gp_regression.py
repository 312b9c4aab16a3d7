"""The regression: the posterior against its closed formula, the kernel by hand, and what a failed fit leaves."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from botorch.exceptions.errors import ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.models.kernels import CategoricalKernel

from nas_core.gaussian_processes.half_rank import half_rank
from nas_core.gaussian_processes.regression import fitted, hamming_kernel, repeatable

TOLD = torch.tensor([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0]], dtype=torch.float64)
OUTCOMES = torch.tensor([1.0, 0.2, -1.2], dtype=torch.float64)
NEW = torch.tensor([[1, 0, 1, 1], [0, 1, 0, 0]], dtype=torch.float64)


def kernel_matrix(first: torch.Tensor, second: torch.Tensor, lengthscales: torch.Tensor) -> torch.Tensor:
    """Return exp(-1/2 sum of 1 / l^2 over the bits that differ), one pair after the other."""
    rows = [
        [
            math.exp(-0.5 * sum(float(scale) ** -2 for a, b, scale in zip(x, y, lengthscales, strict=True) if a != b))
            for y in second
        ]
        for x in first
    ]
    return torch.tensor(rows, dtype=torch.float64)


def test_the_posterior_is_the_closed_formula() -> None:
    model = fitted(TOLD, OUTCOMES, 10)
    lengthscales = model.covar_module.lengthscale.detach().squeeze(0)
    noise, mean = model.likelihood.noise.item(), model.mean_module.constant.item()
    covariance = kernel_matrix(TOLD, TOLD, lengthscales) + noise * torch.eye(3, dtype=torch.float64)
    across = kernel_matrix(NEW, TOLD, lengthscales)
    expected_mean = mean + across @ torch.linalg.solve(covariance, OUTCOMES - mean)
    expected_variance = 1 - (across @ torch.linalg.inv(covariance) * across).sum(dim=1)
    posterior = model.posterior(NEW)
    torch.testing.assert_close(posterior.mean.squeeze(1), expected_mean)
    torch.testing.assert_close(posterior.variance.squeeze(1), expected_variance)
    # the fit has moved away from where it starts, and learnt that bits differ in what they mean
    assert lengthscales.max() > 1.01 * lengthscales.min()


def test_equal_lengthscales_make_it_the_hamming_distance() -> None:
    kernel = hamming_kernel(4).double()
    kernel.lengthscale = 2.0
    found = kernel(TOLD, NEW).to_dense()
    # bits that differ: 1 and 3; 3 and 1; 2 and 2; each weighs 1 / (2 * 2^2)
    torch.testing.assert_close(found, torch.exp(-torch.tensor([[1, 3], [3, 1], [2, 2]], dtype=torch.float64) / 8))


def test_it_is_the_categorical_kernel_of_botorch() -> None:
    ours, theirs = hamming_kernel(4).double(), CategoricalKernel(ard_num_dims=4).double()
    lengthscales = torch.tensor([[0.5, 1.0, 2.0, 4.0]], dtype=torch.float64)
    ours.lengthscale, theirs.lengthscale = lengthscales, 2 * lengthscales**2 / 4
    torch.testing.assert_close(ours(TOLD, NEW).to_dense(), theirs(TOLD, NEW).to_dense())


def test_prior_correlations_do_not_depend_on_the_number_of_features() -> None:
    # all bits differ: the number of features cancels out of n / l^2
    for num_features in (4, 400):
        ends = torch.stack([torch.zeros(num_features), torch.ones(num_features)]).double()
        correlation = hamming_kernel(num_features).double()(ends).to_dense()[0, 1].item()
        # the mode of log-normal (m, .5) is exp(m - .25)
        assert correlation == pytest.approx(math.exp(-0.5 / math.exp(-0.35 - 0.25) ** 2), rel=1e-4)


def test_a_fit_that_fails_leaves_the_modes_of_the_priors(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(likelihood: Any, **settings: Any) -> Any:
        likelihood.model.covar_module.lengthscale = 9.0
        raise ModelFittingError("All attempts to fit the model have failed.")

    monkeypatch.setattr("botorch.fit.fit_gpytorch_mll", failing)
    model = fitted(TOLD, OUTCOMES, 10)
    torch.testing.assert_close(model.covar_module.lengthscale, hamming_kernel(4).double().lengthscale)
    assert not model.training


def test_warnings_stay_inside_and_random_states_stay_as_they_were() -> None:
    before = torch.get_rng_state()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with repeatable(1):
            first = torch.rand(3)
            warnings.warn("jitter", BotorchWarning, stacklevel=1)
        with repeatable(1):
            again = torch.rand(3)
        with repeatable(2):
            other = torch.rand(3)
    assert caught == []
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_bad_costs_are_ranked_and_good_ones_stay() -> None:
    # the median is 3, s^2 = (4 + 1 + 0) / 3; ranks 4 and 5 of 5 are the quantiles .7 and .9
    warped = half_rank(np.array([100.0, 1.0, 3.0, 2.0, 10.0]))
    scale = (5 / 3) ** 0.5
    np.testing.assert_allclose(warped, [3 + 1.2815516 * scale, 1.0, 3.0, 2.0, 3 + 0.5244005 * scale])


def test_warping_keeps_the_order_and_equal_costs_equal() -> None:
    costs = np.round(np.random.default_rng(0).standard_normal(60) ** 3, 1)
    np.testing.assert_array_equal(
        np.sign(np.subtract.outer(costs, costs)), np.sign(np.subtract.outer(*[half_rank(costs)] * 2))
    )
    np.testing.assert_array_equal(half_rank(np.full(4, 2.5)), np.full(4, 2.5))
    # no spread in the good half: the standard deviation of all, 3^.5, and the quantile of 3.5 / 4
    np.testing.assert_allclose(half_rank(np.array([1.0, 1.0, 1.0, 5.0])), [1, 1, 1, 1 + 3**0.5 * 1.1503494])
