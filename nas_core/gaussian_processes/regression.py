"""Gaussian process regression of one outcome on features of architectures."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from nas_core.training.one_thread import one_thread

if TYPE_CHECKING:
    from botorch.models import SingleTaskGP
    from gpytorch.kernels import RBFKernel

LEAST_LENGTHSCALE = 0.025
MEAN_LOG_LENGTHSCALE = -0.35
DEVIATION_OF_LOG_LENGTHSCALE = 0.5


@contextmanager
def repeatable(seed: int) -> Iterator[None]:
    """Run BoTorch on one thread, without its warnings, and with random numbers that depend on the seed alone.

    BoTorch draws some seeds and starting points from torch's global CPU generator, which is seeded within, and is put
    back as it was. Its warnings tell of fits that stop early and of jitter on a diagonal, for both of which there is a
    rule (see `fitted`).

    Args:
        seed: 63 bits.
    """
    with one_thread(), torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.default_generator.manual_seed(seed)
        yield


def hamming_kernel(num_features: int) -> RBFKernel:
    """Return k(x, x') = exp(-1/2 sum_i (x_i - x'_i)^2 / l_i^2), a lengthscale l_i for each feature.

    Of bits, (x_i - x'_i)^2 is whether they differ, so that this is the exponential of minus a weighted Hamming
    distance: BoTorch's `CategoricalKernel`, whose lengthscale is 2 l_i^2 / num_features; as a diffusion kernel on the
    hypercube it goes back to Kondor & Lafferty (2002, ICML). On a one-hot encoding two architectures that choose
    differently are as far apart as the weights of both options say, so that options may be alike, which a kernel that
    compares decisions (one weight a choice, as in CoCaBO, Ru et al. 2020, arXiv:1906.08878) cannot tell. Features that
    are no bits are taken as points of a Euclidean space.

    The prior is log l_i ~ N(log(num_features) / 2 - .35, .5). It grows with the number of features as in Hvarfner et
    al. (2024, arXiv:2402.02229), so that prior correlations stay what they are. Differs from that paper: the mean is
    lower and the deviation less than the paper's sqrt(2) and sqrt(3), because bits lie far apart by nature. It stands
    for a log-normal (0, 1) lengthscale of `CategoricalKernel`.
    """
    from gpytorch.constraints import GreaterThan
    from gpytorch.kernels import RBFKernel
    from gpytorch.priors import LogNormalPrior

    prior = LogNormalPrior(MEAN_LOG_LENGTHSCALE + 0.5 * math.log(num_features), DEVIATION_OF_LOG_LENGTHSCALE)
    return RBFKernel(
        ard_num_dims=num_features,
        lengthscale_prior=prior,
        lengthscale_constraint=GreaterThan(LEAST_LENGTHSCALE, transform=None, initial_value=prior.mode),
    )


def fitted(features: torch.Tensor, outcomes: torch.Tensor, max_fit_steps: int) -> SingleTaskGP:
    """Return an exact Gaussian process with a constant mean, `hamming_kernel` and learnt noise, conditioned on data.

    Mean, lengthscales and noise maximize the marginal likelihood times their priors (BoTorch's noise prior: log noise
    ~ N(-4, 1), at least 1e-4), by L-BFGS-B from the priors' modes for at most `max_fit_steps` steps. Where that fails
    numerically, they are the priors' modes. Nothing is random.

    Args:
        features: (num_examples, num_features), double precision.
        outcomes: (num_examples,), about standardized, as the priors presume.
        max_fit_steps: steps of the optimizer, at least 1.
    """
    from botorch.exceptions.errors import ModelFittingError
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood

    def at_modes() -> SingleTaskGP:
        kernel = hamming_kernel(features.shape[1])
        return SingleTaskGP(features, outcomes.unsqueeze(1), covar_module=kernel, outcome_transform=None)

    model = at_modes()
    likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
    steps = {"options": {"maxiter": max_fit_steps}}
    try:
        with torch.enable_grad():
            fit_gpytorch_mll(likelihood, optimizer_kwargs=steps, max_attempts=1)
    except ModelFittingError:
        model = at_modes()
    model.eval()
    return model
