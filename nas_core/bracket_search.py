"""The strategy of Hyperband's brackets, whatever it is that starts in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Fidelity, Proposal
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import generator_state, restore_generator
from nas_core.rungs import RungIncumbent
from nas_core.space import SearchSpace
from nas_core.successive_halving import Brackets, Key


class Starts(Protocol):
    """What starts in the brackets: proposes architectures for their first rungs, and may learn from all results."""

    def draw(self, known: KnownNetworks) -> Architecture | None:
        """Return an architecture that was not known, now made known; None if hardly any is left."""

    def tell(self, architecture: Architecture, rung: int, key: Key | None) -> None:
        """Learn from a member of the space on a rung: its rank key, lower is better, or None for a failure."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes."""

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""


class UniformStarts:
    """Uniform samples."""

    def __init__(self, generator: np.random.Generator) -> None:
        """Keep the generator of the samples."""
        self._generator = generator

    def draw(self, known: KnownNetworks) -> Architecture | None:
        """Return a uniform sample of what was not known, now made known; None if hardly any is left."""
        found = known.sample_new(1, self._generator)
        return found[0] if found else None

    def tell(self, architecture: Architecture, rung: int, key: Key | None) -> None:
        """Learn nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return the generator."""
        return {"generator": generator_state(self._generator)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        restore_generator(self._generator, state["generator"])


class BracketSearch:
    """Asks for what the brackets ask for, each proposal with the fidelity of its rung.

    An architecture is trained anew on each rung unless the evaluator continues a training; a network starts once, by
    whatever name; what exceeds a limit is worse than all that keeps them; others' proposals may be recommended and
    learnt from, and are never promoted.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        starts: Starts,
        rungs: Sequence[Fidelity],
        reduction_factor: int,
    ) -> None:
        """Start before the first bracket.

        Args:
            space: what is searched.
            objectives: at least one; the first decides what is promoted, the others break ties.
            starts: what starts on the first rung of a bracket.
            rungs: fidelities, the lowest first.
            reduction_factor: one of so many goes on from rung to rung, at least 2.
        """
        self._space = space.name
        self._rungs = tuple(rungs)
        self._incumbent = RungIncumbent(space.name, objectives, rungs)
        self._brackets = Brackets(space.name, len(self._rungs), reduction_factor)
        self._starts = starts
        self._known = KnownNetworks(space)

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """The fidelities of its proposals, the lowest first."""
        return self._rungs

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` proposals; fewer once hardly any network is unknown and nothing is left to promote."""
        proposals: list[Proposal] = []
        while len(proposals) < count and (following := self._brackets.next(self._start)) is not None:
            architecture, rung = following
            proposals.append(Proposal(architecture, self._rungs[rung]))
        return proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Hand the results to what starts and to the brackets that await them, in the order told."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            rung = self._incumbent.rung(evaluation.proposal)
            key = self._incumbent.consider(evaluation)
            if rung is not None and architecture.space == self._space:
                self._starts.tell(architecture, rung, key)
                self._brackets.tell(architecture, rung, key)

    def recommend(self) -> Architecture:
        """Return the best architecture of the highest rung that was reached; ValueError if nothing succeeded."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return what starts, the best of each rung, what is known and the brackets."""
        return {
            "starts": self._starts.state_dict(),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "brackets": self._brackets.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        self._starts.load_state_dict(state["starts"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._brackets.load_state_dict(state["brackets"])

    def _start(self) -> Architecture | None:
        return self._starts.draw(self._known)
