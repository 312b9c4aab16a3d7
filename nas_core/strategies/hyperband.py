"""Hyperband: successive halving of random architectures, in brackets that start on different rungs."""

from __future__ import annotations

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
from nas_core.successive_halving import Brackets


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    min_epochs: Annotated[int, Ge(1)] = 1,
    max_epochs: Annotated[int, Ge(1)] = 12,
    reduction_factor: Annotated[int, Ge(2)] = 3,
) -> Strategy:
    """Return Hyperband; each proposal names its fidelity, so the evaluator's own number of epochs plays no part.

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is promoted, the others break ties.
        streams: source of randomness.
        min_epochs: training length below which there is no rung.
        max_epochs: training length of the highest rung; the rungs below have this divided by the factor once, twice...
        reduction_factor: one of so many goes on from rung to rung.

    Raises:
        ValueError: if min_epochs is above max_epochs.
    """
    rungs = geometric_rungs(min_epochs, max_epochs, reduction_factor)
    return Hyperband(space, objectives, streams.numpy("hyperband"), rungs, reduction_factor)


class Hyperband:
    """Brackets of successive halving (Li et al. 2018, arXiv:1603.06560), repeated until the budget is used up.

    The first bracket starts many architectures on the lowest rung, the last a few on the highest; what starts is
    sampled uniformly. Sizes are those of `nas_core.successive_halving.bracket_sizes`: 9-3-1, 3-1 and 3 with three rungs
    and a factor of 3.

    Follows the paper, in its table's reading, where a round asks for no more than a rung has left. What that leaves
    open: a larger round begins the next bracket early; an architecture is trained anew on each rung unless the
    evaluator continues a training; a network starts once, by whatever name; what exceeds a limit is worse than all that
    keeps them; others' proposals may be recommended and are never promoted.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        rungs: Sequence[Fidelity],
        reduction_factor: int,
    ) -> None:
        """Start before the first bracket.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of the samples.
            rungs: fidelities, the lowest first.
            reduction_factor: see `build`.
        """
        self._rungs = tuple(rungs)
        self._incumbent = RungIncumbent(space.name, objectives, rungs)
        self._brackets = Brackets(space.name, len(self._rungs), reduction_factor)
        self._generator = generator
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
        """Hand the results to the brackets that await them, in the order told."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            rung = self._incumbent.rung(evaluation.proposal)
            key = self._incumbent.consider(evaluation)
            if rung is not None:
                self._brackets.tell(architecture, rung, key)

    def recommend(self) -> Architecture:
        """Return the best architecture of the highest rung that was reached; ValueError if nothing succeeded."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best of each rung, what is known and the brackets."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "brackets": self._brackets.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._brackets.load_state_dict(state["brackets"])

    def _start(self) -> Architecture | None:
        found = self._known.sample_new(1, self._generator)
        return found[0] if found else None
