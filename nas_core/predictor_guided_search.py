"""The search of every strategy that fits a predictor to what was told and lets it choose among candidates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nas_core.acquisition import Acquisition
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.predictor import Predictor
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.variation import mutate, sample

Array = NDArray[np.float64]


class PredictorGuidedSearch:
    """Fits a predictor to all that was told and proposes the candidates that the acquisition function ranks first.

    After `num_initial` successes, awaited with random architectures, each `ask(k)` fits the predictor anew, mutates the
    best architectures in one choice each, adds uniform samples, and proposes the best k of these candidates.

    What was proposed before is no candidate (compared by canonical form). Where a neighborhood is used up, the next
    best is mutated, and what is still missing then is filled up by random architectures. Canonical forms are encoded,
    so that two names of one network have the same features. Failures are never proposed again and teach nothing else;
    others' proposals are learnt from like one's own.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        streams: Streams,
        encode: Callable[[Sequence[Architecture]], Array],
        predictor: Callable[[Streams], Predictor],
        acquisition: Acquisition,
        *,
        num_initial: int,
        num_mutations: int,
        num_parents: int,
        num_samples: int,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            objectives: at least one. The first alone is predicted; the order of the parents and what is recommended
                follow all of them, and the limits.
            streams: source of the proposals and of each fit.
            encode: architectures -> features (num_architectures, ...), as the predictor takes them.
            predictor: returns a new predictor that draws from the given streams.
            acquisition: ranks the candidates.
            num_initial: successes that are awaited before the first fit.
            num_mutations: candidates that are mutations.
            num_parents: best architectures among which the mutations are divided.
            num_samples: uniform samples among which further candidates are.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._streams = streams
        self._generator = streams.numpy("proposals")
        self._encode = encode
        self._predictor = predictor
        self._acquisition = acquisition
        self._num_initial = num_initial
        self._num_mutations = num_mutations
        self._num_parents = num_parents
        self._num_samples = num_samples
        # (rank key, architecture) of each success, as told
        self._told: list[tuple[tuple[float, ...], Architecture]] = []
        self._known = KnownNetworks(space)

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` architectures that were not proposed before; fewer once hardly any is left."""
        chosen: list[Architecture] = []
        if count and len(self._told) >= self._num_initial:
            candidates = self._candidates()
            if candidates:
                chosen = self._best(candidates, count)
        for architecture in chosen:
            self._known.add(architecture)
        chosen.extend(self._known.sample_new(count - len(chosen), self._generator))
        return [Proposal(architecture) for architecture in chosen]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Add the successes to what the predictor learns from."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._told.append((key, architecture))
            self._known.add(architecture)

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what was told and what is known; a fit follows from what was told."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "told": [[list(key), list(architecture.decisions)] for key, architecture in self._told],
            "known": self._known.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._told = [(tuple(key), Architecture(name, tuple(decisions))) for key, decisions in state["told"]]
        self._known.restore(state["known"])

    def _candidates(self) -> list[Architecture]:
        found: dict[Architecture, Architecture] = {}
        num_children = -(-self._num_mutations // self._num_parents)
        for _, parent in sorted(self._told, key=lambda told: told[0]):
            if len(found) >= self._num_mutations:
                break
            for _ in range(num_children):
                self._add_new(found, mutate(self._space, parent, self._generator))
        candidates = dict(list(found.items())[: self._num_mutations])
        for _ in range(self._num_samples):
            self._add_new(candidates, sample(self._space, self._generator))
        return list(candidates.values())

    def _add_new(self, found: dict[Architecture, Architecture], architecture: Architecture) -> None:
        """Add an architecture by its canonical form, unless its network is known or there already."""
        if architecture not in self._known:
            found.setdefault(self._space.canonical(architecture), architecture)

    def _best(self, candidates: list[Architecture], count: int) -> list[Architecture]:
        canonical = self._space.canonical
        # a fit is a function of the seed and of what was told, so that it need not be part of the state
        predictor = self._predictor(self._streams.child(f"fit {len(self._told)}"))
        costs = np.array([key[1] for key, _ in self._told])
        predictor.fit(self._encode([canonical(architecture) for _, architecture in self._told]), costs)
        mean, deviation = predictor.predict(self._encode([canonical(candidate) for candidate in candidates]))
        best = min(self._told, key=lambda told: told[0])[0][1]
        values = self._acquisition(mean, deviation, best, self._generator)
        return [candidates[place] for place in np.argsort(values, kind="stable")[:count]]
