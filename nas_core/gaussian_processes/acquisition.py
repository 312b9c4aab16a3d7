"""What Gaussian processes expect of candidates, given what was told and what is being evaluated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from botorch.acquisition import AcquisitionFunction
from botorch.acquisition.multi_objective import logei
from botorch.models import ModelListGP, SingleTaskGP
from botorch.sampling import SobolQMCNormalSampler
from torch import Tensor

MAX_CANDIDATES_AT_ONCE = 256

Acquisition = Callable[[Tensor, Tensor], Tensor]
"""Candidates (num_candidates, num_features), pending (num_pending, num_features) -> a value for each candidate.

The value is that of evaluating it beside all that is pending; the highest is evaluated next. Within one acquisition
function what is pending only grows.
"""


@dataclass(frozen=True, slots=True)
class LeastOutcome:
    """A limit: the outcome of a model must not be below a threshold.

    Attributes:
        model: number of the model.
        threshold: in its units.
    """

    model: int
    threshold: float

    def __call__(self, outcomes: Tensor) -> Tensor:
        """Return by how much outcomes (..., num_models) fall short of the threshold, (...); negative if they do not."""
        return self.threshold - outcomes[..., self.model]


@dataclass(frozen=True, slots=True)
class Draws:
    """Quasi-Monte-Carlo draws from a posterior, the same for all candidates.

    Attributes:
        number: at least 1.
        seed: 63 bits.
    """

    number: int
    seed: int

    def sampler(self) -> SobolQMCNormalSampler:
        """Return a sampler that has drawn nothing yet."""
        return SobolQMCNormalSampler(torch.Size([self.number]), seed=self.seed)


def log_expected_improvement(model: SingleTaskGP, best: float, draws: Draws) -> Acquisition:
    """Return log E[max(0, max of f over candidate and pending - best)] (Ament et al. 2023, arXiv:2310.20708).

    It is the closed formula with nothing pending, else an estimate from draws. Follows the paper.

    Args:
        model: of the outcome to maximize.
        best: what is to be improved on.
        draws: from the joint posterior.
    """
    from botorch.acquisition import LogExpectedImprovement, qLogExpectedImprovement

    def values(candidates: Tensor, pending: Tensor) -> Tensor:
        if not len(pending):
            return _evaluated(LogExpectedImprovement(model, best), candidates)
        return _evaluated(qLogExpectedImprovement(model, best, draws.sampler(), X_pending=pending), candidates)

    return values


def log_expected_feasible_improvement(
    models: Sequence[SingleTaskGP], best: float | None, limits: Sequence[LeastOutcome], draws: Draws
) -> Acquisition:
    """Return the log of the improvement expected within limits (Gardner et al. 2014; Ament et al. 2023).

    E[max(0, max of f - best)] over those of candidate and pending whose other outcomes keep the limits; where nothing
    told keeps them, the log of the probability that one does. Follows the papers, with draws instead of a product of
    formulas, so that one model may be improved on and limited.

    Args:
        models: the outcome to maximize first, then what else has limits.
        best: the highest outcome told that keeps the limits; None if none does.
        limits: at least one.
        draws: from the joint posterior.
    """
    from botorch.acquisition import qLogExpectedImprovement
    from botorch.acquisition.logei import qLogProbabilityOfFeasibility
    from botorch.acquisition.objective import GenericMCObjective

    model = ModelListGP(*models)
    constraints: list[Callable[[Tensor], Tensor]] = list(limits)

    def first(outcomes: Tensor, X: Tensor | None = None) -> Tensor:
        return outcomes[..., 0]

    def values(candidates: Tensor, pending: Tensor) -> Tensor:
        beside = pending if len(pending) else None
        sampler = draws.sampler()
        if best is None:
            feasibility = qLogProbabilityOfFeasibility(model, constraints, sampler, X_pending=beside)
            return _evaluated(feasibility, candidates)
        improvement = qLogExpectedImprovement(
            model, best, sampler, GenericMCObjective(first), X_pending=beside, constraints=constraints
        )
        return _evaluated(improvement, candidates)

    return values


def log_noisy_hypervolume_improvement(
    models: Sequence[SingleTaskGP],
    told: Tensor,
    reference: Tensor,
    limits: Sequence[LeastOutcome],
    draws: Draws,
) -> Acquisition:
    """Return the log of the expected growth of the hypervolume that is dominated, were noise absent.

    The expectation is over draws of what was told, of what is pending and of the candidate alike, each with its own
    front (Daulton et al. 2021, arXiv:2105.08195; the logarithm, Ament et al. 2023, arXiv:2310.20708). Only what keeps
    the limits counts. Follows the papers: points told that are hardly ever on the front are left out, and what is
    pending joins the fronts at once.

    Args:
        models: of the outcomes to maximize, at least two.
        told: (num_told, num_features).
        reference: (num_models,), outcomes below which there is no volume.
        limits: any number.
        draws: from the joint posterior.
    """
    with _nothing_compiled():
        function = logei.qLogNoisyExpectedHypervolumeImprovement(
            ModelListGP(*models),
            reference,
            told,
            draws.sampler(),
            constraints=list(limits) or None,
            prune_baseline=True,
        )

    def values(candidates: Tensor, pending: Tensor) -> Tensor:
        if len(pending):
            function.set_X_pending(pending)
        return _evaluated(function, candidates)

    return values


def reference_point(front: Tensor) -> Tensor:
    """Return the reference point of a hypervolume, a tenth of the front's range below its lowest outcomes.

    The rule of Ishibuchi et al. (2011); differs from it where the range is small: at least a tenth of the unit, that of
    standardized outcomes being a standard deviation, so that a front of one point can grow in every direction.

    Args:
        front: (num_points, num_outcomes), at least one point; higher is better.
    """
    lowest, highest = front.amin(dim=0), front.amax(dim=0)
    return lowest - 0.1 * (highest - lowest).clamp_min(1.0)


@contextmanager
def _nothing_compiled() -> Iterator[None]:
    """Keep BoTorch from compiling C++ at the first use, for seconds and with other rounding where it succeeds."""
    before = logei._load_attempted
    logei._load_attempted = True
    try:
        yield
    finally:
        logei._load_attempted = before


def _evaluated(function: AcquisitionFunction, candidates: Tensor) -> Tensor:
    with torch.no_grad():
        parts = torch.split(candidates.unsqueeze(1), MAX_CANDIDATES_AT_ONCE)  # each (at most so many, 1, num_features)
        return torch.cat([function(part) for part in parts])
