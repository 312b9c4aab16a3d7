"""Bayesian optimization with Gaussian processes: expected improvement of one objective, or of the front of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nas_core import pareto
from nas_core.architecture import Architecture
from nas_core.encodings import one_hot
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import neighbors, sample

if TYPE_CHECKING:
    import torch
    from botorch.models import SingleTaskGP

    from nas_core.gaussian_processes.acquisition import Acquisition

Array = NDArray[np.float64]
Key = tuple[float, ...]

NUM_FINALISTS = 100


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    front: bool = True,
    num_initial: Annotated[int, Ge(2)] = 10,
    num_samples: Annotated[int, Ge(1)] = 500,
    num_parents: Annotated[int, Ge(1)] = 5,
    num_neighbors: Annotated[int, Ge(1)] = 100,
    num_climbs: Annotated[int, Ge(0)] = 5,
    num_draws: Annotated[int, Ge(1)] = 128,
    max_fit_steps: Annotated[int, Ge(1)] = 30,
) -> Strategy:
    """Return Bayesian optimization with Gaussian processes (Snoek et al. 2012; BoTorch, arXiv:1910.06403).

    Args:
        space: what is searched.
        objectives: at least one.
        streams: source of randomness.
        front: whether the front of several objectives is searched for; else the best first objective within the limits
            of all. Of one objective there is no front.
        num_initial: successes that are awaited, by random proposals, before the first fit.
        num_samples: uniform samples among the candidates.
        num_parents: best architectures whose neighbors are candidates.
        num_neighbors: neighbors at most that are looked at of each architecture, drawn at random where it has more.
        num_climbs: best candidates from which the acquisition function is climbed.
        num_draws: draws from the posterior, where there is no formula.
        max_fit_steps: steps of the optimizer of lengthscales and noise; more change little and take long.
    """
    return GaussianProcessSearch(
        space,
        objectives,
        streams.child("gaussian_process"),
        front=front and len(objectives) > 1,
        num_initial=num_initial,
        num_samples=num_samples,
        num_parents=num_parents,
        num_neighbors=num_neighbors,
        num_climbs=num_climbs,
        num_draws=num_draws,
        max_fit_steps=max_fit_steps,
    )


class GaussianProcessSearch:
    """Fits Gaussian processes to all that was told and proposes what the acquisition function values most.

    After `num_initial` successes, awaited with random architectures, each `ask(k)` fits a Gaussian process an objective
    (see `gaussian_processes.regression`), gathers candidates, and chooses k of them one after the other, each valued
    beside those chosen before and those whose evaluation is awaited (sequential greedy optimization, Wilson et al.
    2018, arXiv:1805.10196). The values are

    - of one objective, the log expected improvement on the best told;
    - of one objective with limits on others, the log of the improvement expected within the limits;
    - of a front, the log of its hypervolume's expected growth, noise being averaged over, within the limits.

    Candidates are uniform samples, neighbors of the best (of a front: of its members) and what climbing finds: from
    the best candidates, step by step to the best neighbor, until none is better (as in BoTorch's
    `optimize_acqf_discrete_local_search`; differs from it in that one climb serves all choices of a round, which are
    made among the best `NUM_FINALISTS`, or twice the round where that is more). Canonical forms are encoded, options
    one-hot, so that a choice that does not matter is unlike all of its options. What was proposed before is no
    candidate, and what is missing once candidates are used up is filled up by random architectures.

    The first objective, if there is no front, is warped by `half_rank`, because some networks hardly learn, and their
    costs would decide the fit. All outcomes are standardized.

    Failures are never proposed again and teach nothing else. Others' proposals are learnt from like one's own.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        streams: Streams,
        *,
        front: bool,
        num_initial: int,
        num_samples: int,
        num_parents: int,
        num_neighbors: int,
        num_climbs: int,
        num_draws: int,
        max_fit_steps: int,
    ) -> None:
        """Start with nothing told; see `build`."""
        self._space = space
        self._objectives = tuple(objectives)
        self._incumbent = Incumbent(space.name, objectives)
        self._streams = streams
        self._generator = streams.numpy("proposals")
        self._front = front
        self._num_initial = num_initial
        self._num_samples = num_samples
        self._num_parents = num_parents
        self._num_neighbors = num_neighbors
        self._num_climbs = num_climbs
        self._num_draws = num_draws
        self._max_fit_steps = max_fit_steps
        # (rank key, architecture) of each success, as told
        self._told: list[tuple[Key, Architecture]] = []
        # asked for and not told yet, in the order asked
        self._pending: dict[Architecture, None] = {}
        self._known = KnownNetworks(space)

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` architectures that were not proposed before; fewer once hardly any is left."""
        chosen: list[Architecture] = []
        if count and len(self._told) >= self._num_initial:
            chosen = self._best(count)
        for architecture in chosen:
            self._known.add(architecture)
        chosen.extend(self._known.sample_new(count - len(chosen), self._generator))
        self._pending.update(dict.fromkeys(chosen))
        return [Proposal(architecture) for architecture in chosen]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Add the successes to what the Gaussian processes learn from."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._told.append((key, architecture))
            self._known.add(architecture)
            self._pending.pop(architecture, None)

    def recommend(self) -> Architecture:
        """Return the best architecture told by the first objective, within limits; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what was told, is awaited and is known; a fit follows from what was told."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "told": [[list(key), list(architecture.decisions)] for key, architecture in self._told],
            "pending": [list(architecture.decisions) for architecture in self._pending],
            "known": self._known.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._told = [(tuple(key), Architecture(name, tuple(decisions))) for key, decisions in state["told"]]
        self._pending = {Architecture(name, tuple(decisions)): None for decisions in state["pending"]}
        self._known.restore(state["known"])

    def _best(self, count: int) -> list[Architecture]:
        """Return up to `count` candidates, each of the highest value beside those before it."""
        import torch

        from nas_core.gaussian_processes.regression import repeatable

        chosen: list[Architecture] = []
        # what is drawn for a fit is a function of the seed and of what was told, so that it need not be in the state
        with repeatable(self._streams.integer(f"fit {len(self._told)}")):
            acquisition = self._acquisition()
            pending = self._encoded(self._pending)
            values = self._candidates(acquisition, pending)
            # what is worth little by itself is not worth more beside others
            last = max(NUM_FINALISTS, 2 * count)
            values = dict(sorted(values.items(), key=lambda item: item[1], reverse=True)[:last])
            while values and len(chosen) < count:
                best = max(values, key=values.__getitem__)
                chosen.append(best)
                del values[best]
                if values and len(chosen) < count:
                    pending = torch.cat([pending, self._encoded([best])])
                    values = self._valued(acquisition, list(values), pending)
        return chosen

    def _acquisition(self) -> Acquisition:
        """Return what values candidates, by models of outcomes: costs, standardized and with the sign changed."""
        import torch

        from nas_core.gaussian_processes import acquisition as values
        from nas_core.gaussian_processes.half_rank import half_rank
        from nas_core.gaussian_processes.regression import fitted

        features = self._encoded(architecture for _, architecture in self._told)
        columns: list[torch.Tensor] = []
        models: list[SingleTaskGP] = []
        limits: list[values.LeastOutcome] = []
        for place, objective in enumerate(self._objectives):
            is_improved = self._front or place == 0
            limit = objective.limit if self._front or place else None
            if not is_improved and limit is None:
                continue
            costs = np.array([key[1 + place] for key, _ in self._told])
            if not self._front and place == 0:
                costs = half_rank(costs)
            center, scale = costs.mean(), costs.std() or 1.0
            if limit is not None:
                limits.append(values.LeastOutcome(len(models), (center - objective.sign * limit) / scale))
            columns.append(torch.from_numpy((center - costs) / scale))
            models.append(fitted(features, columns[-1], self._max_fit_steps))
        outcomes = torch.stack(columns, dim=1)
        keeps = torch.tensor([all(limit(row) <= 0 for limit in limits) for row in outcomes])
        draws = values.Draws(self._num_draws, self._streams.integer(f"draws {len(self._told)}"))
        if self._front:
            kept = outcomes[keeps] if keeps.any() else outcomes
            reference = values.reference_point(kept[pareto.front(-kept.numpy())])
            return values.log_noisy_hypervolume_improvement(models, features, reference, limits, draws)
        best = float(outcomes[keeps, 0].max()) if keeps.any() else None
        if best is not None and not limits:
            return values.log_expected_improvement(models[0], best, draws)
        return values.log_expected_feasible_improvement(models, best, limits, draws)

    def _candidates(self, acquisition: Acquisition, pending: torch.Tensor) -> dict[Architecture, float]:
        """Return unknown networks with their values: samples, neighbors of the best, and what climbing finds."""
        forms = [form for parent in self._parents() for form in self._near(parent)]
        forms += self._unknown(sample(self._space, self._generator) for _ in range(self._num_samples))
        values = self._valued(acquisition, forms, pending)
        climbers = sorted(values, key=values.__getitem__, reverse=True)[: self._num_climbs]
        while climbers:
            nearby = [self._near(climber) for climber in climbers]
            values |= self._valued(
                acquisition, [form for near in nearby for form in near if form not in values], pending
            )
            steps = [
                max(near, key=values.__getitem__, default=place) for place, near in zip(climbers, nearby, strict=True)
            ]
            risen = [step for place, step in zip(climbers, steps, strict=True) if values[step] > values[place]]
            climbers = list(dict.fromkeys(risen))
        return values

    def _parents(self) -> list[Architecture]:
        """Return the best by their rank keys, or members of the front, drawn at random where it has more."""
        keys = np.array([key for key, _ in self._told])
        if self._front and (keys[:, 0] <= 0).any():
            kept = np.flatnonzero(keys[:, 0] <= 0)
            places = self._generator.permutation(kept[pareto.front(keys[kept, 1:])])
        else:
            places = np.lexsort(keys.T[::-1])
        return [self._told[place][1] for place in places[: self._num_parents]]

    def _near(self, architecture: Architecture) -> list[Architecture]:
        """Return unknown networks that are neighbors of an architecture."""
        found = list(neighbors(self._space, architecture))
        order = self._generator.permutation(len(found))[: self._num_neighbors]
        return self._unknown(found[place] for place in order)

    def _unknown(self, architectures: Iterable[Architecture]) -> list[Architecture]:
        """Return the canonical forms of what was not proposed before, each once."""
        forms = dict.fromkeys(self._space.canonical(architecture) for architecture in architectures)
        return [form for form in forms if form not in self._known]

    def _valued(
        self, acquisition: Acquisition, forms: Iterable[Architecture], pending: torch.Tensor
    ) -> dict[Architecture, float]:
        distinct = list(dict.fromkeys(forms))
        if not distinct:
            return {}
        return dict(zip(distinct, acquisition(self._encoded(distinct), pending).tolist(), strict=True))

    def _encoded(self, architectures: Iterable[Architecture]) -> torch.Tensor:
        import torch

        forms = [self._space.canonical(architecture) for architecture in architectures]
        return torch.from_numpy(one_hot(self._space.choices, forms))
