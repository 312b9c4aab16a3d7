"""ASHA: asynchronous successive halving, which promotes what is in the best share of its rung without waiting."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.rungs import RungIncumbent, geometric_rungs
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy

Key = tuple[float, ...]


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    min_epochs: Annotated[int, Ge(1)] = 1,
    max_epochs: Annotated[int, Ge(1)] = 12,
    reduction_factor: Annotated[int, Ge(2)] = 3,
) -> Strategy:
    """Return ASHA; each proposal names its fidelity, so the evaluator's own number of epochs plays no part.

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is promoted, the others break ties.
        streams: source of randomness.
        min_epochs: training length below which there is no rung.
        max_epochs: training length of the highest rung; the rungs below have this divided by the factor once, twice...
        reduction_factor: one of so many is promoted (the paper's experiments: 4).

    Raises:
        ValueError: if min_epochs is above max_epochs.
    """
    rungs = geometric_rungs(min_epochs, max_epochs, reduction_factor)
    return ASHA(space, objectives, streams.numpy("asha"), rungs, reduction_factor)


class ASHA:
    """Asynchronous successive halving (Li et al. 2020, arXiv:1810.05934, algorithm 2).

    For each proposal the rungs are gone through from the second highest to the lowest: where one of the best
    floor(rung size / reduction_factor) has not been promoted, the best such goes on to the next rung. If there is none,
    a new architecture is sampled uniformly and starts on the lowest rung.

    Follows the paper. What that leaves open: an architecture is trained anew on each rung unless the evaluator
    continues a training; a network is sampled once, by whatever name; a failure counts as the worst of its rung and is
    never promoted; what exceeds a limit is worse than all that keeps them; others' proposals on a rung count like one's
    own.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        rungs: Sequence[Fidelity],
        reduction_factor: int,
    ) -> None:
        """Start with empty rungs.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of the samples.
            rungs: fidelities, the lowest first.
            reduction_factor: see `build`.
        """
        self._space = space
        self._rungs = tuple(rungs)
        self._incumbent = RungIncumbent(space.name, objectives, rungs)
        self._generator = generator
        self._reduction_factor = reduction_factor
        self._known = KnownNetworks(space)
        # of each rung (rank key, number in the order told, architecture), the best first, and how many failed
        self._done: list[list[tuple[Key, int, Architecture]]] = [[] for _ in self._rungs]
        self._num_failures = [0] * len(self._rungs)
        self._promoted: list[dict[Architecture, None]] = [{} for _ in self._rungs]
        self._num_told = 0

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The fidelities of its proposals, the lowest first."""
        return self._rungs

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` proposals, promotions first; fewer once hardly any network is unknown."""
        proposals: list[Proposal] = []
        while len(proposals) < count:
            proposal = self._promotion() or self._start()
            if proposal is None:
                break
            proposals.append(proposal)
        return proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let each evaluation into its rung, in the order told."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            rung = self._incumbent.rung(evaluation.proposal)
            key = self._incumbent.consider(evaluation)
            self._known.add(architecture)
            if rung is None or architecture.space != self._space.name:
                continue
            if key is None:
                self._num_failures[rung] += 1
            else:
                insort(self._done[rung], (key, self._num_told, architecture))
                self._num_told += 1

    def recommend(self) -> Architecture:
        """Return the best architecture of the highest rung that was reached; ValueError if nothing succeeded."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best of each rung, what is known and what the rungs hold."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "done": [[[list(key), told, list(made.decisions)] for key, told, made in rung] for rung in self._done],
            "num_failures": list(self._num_failures),
            "promoted": [[list(architecture.decisions) for architecture in rung] for rung in self._promoted],
            "num_told": self._num_told,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._done = [
            [(tuple(key), told, Architecture(name, tuple(made))) for key, told, made in rung] for rung in state["done"]
        ]
        self._num_failures = list(state["num_failures"])
        self._promoted = [{Architecture(name, tuple(made)): None for made in rung} for rung in state["promoted"]]
        self._num_told = state["num_told"]

    def _promotion(self) -> Proposal | None:
        for rung in range(len(self._rungs) - 2, -1, -1):
            done, promoted = self._done[rung], self._promoted[rung]
            num_best = (len(done) + self._num_failures[rung]) // self._reduction_factor
            for _, _, architecture in done[:num_best]:
                if architecture not in promoted:
                    promoted[architecture] = None
                    return Proposal(architecture, self._rungs[rung + 1])
        return None

    def _start(self) -> Proposal | None:
        for architecture in self._known.sample_new(1, self._generator):
            return Proposal(architecture, self._rungs[0])
        return None
