"""Regularized evolution: a tournament picks a parent, one mutation makes a child, the oldest member dies."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import mutate, sample


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    population_size: Annotated[int, Ge(1)] = 10,
    tournament_size: Annotated[int, Ge(1)] = 3,
) -> Strategy:
    """Return regularized evolution, by default with the settings of NAS-Bench-201 (arXiv:2001.00326).

    Args:
        space: what is searched.
        objectives: at least one; the first decides a tournament, the others break ties.
        streams: source of randomness.
        population_size: members kept (Real et al.: 100).
        tournament_size: members drawn, with replacement, to choose a parent from (Real et al.: 25).

    Raises:
        ValueError: if the tournament is larger than the population.
    """
    if tournament_size > population_size:
        raise ValueError(
            f"tournament_size is {tournament_size}, larger than population_size {population_size}; "
            "lower it or raise the population"
        )
    return RegularizedEvolution(
        space, objectives, streams.numpy("regularized_evolution"), population_size, tournament_size
    )


class RegularizedEvolution:
    """Aging evolution (Real et al. 2019, arXiv:1802.01548).

    The first `population_size` members are uniform samples. After that each proposal mutates the best of
    `tournament_size` members drawn with replacement, in exactly one choice; each evaluation that is told enters the
    population and, once that is full, the oldest member leaves it, however good it is.

    Follows the paper where one proposal is asked and told at a time. What the paper leaves open: age counts from the
    telling; several proposals asked at once come from one population; a failure never enters (a failed first member is
    made up for by a further sample); evaluations of others' proposals enter like one's own.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        population_size: int,
        tournament_size: int,
    ) -> None:
        """Start with an empty population; see `build`."""
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._tournament_size = tournament_size
        self._population_size = population_size
        # (rank key, architecture), the oldest first
        self._population: deque[tuple[tuple[float, ...], Architecture]] = deque(maxlen=population_size)
        # first members asked for and not told yet: how often each
        self._awaited: dict[Architecture, int] = {}

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` proposals: samples until the population is provided for, then mutated winners."""
        return [Proposal(self._child() if self._is_provided_for() else self._founder()) for _ in range(count)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let each success into the population, in the order told; the oldest leave."""
        for evaluation in evaluations:
            if self._awaited:
                self._settle(evaluation.proposal.architecture)
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._population.append((key, evaluation.proposal.architecture))

    def recommend(self) -> Architecture:
        """Return the best architecture ever told, dead members included; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, the population and the first members still awaited."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "population": [[list(key), list(architecture.decisions)] for key, architecture in self._population],
            "awaited": [[number, list(architecture.decisions)] for architecture, number in self._awaited.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._population.clear()
        self._population.extend((tuple(key), Architecture(name, tuple(made))) for key, made in state["population"])
        self._awaited = {Architecture(name, tuple(made)): number for number, made in state["awaited"]}

    def _is_provided_for(self) -> bool:
        num_members = len(self._population)
        if num_members == self._population_size:
            return True
        return num_members > 0 and num_members + sum(self._awaited.values()) >= self._population_size

    def _founder(self) -> Architecture:
        architecture = sample(self._space, self._generator)
        self._awaited[architecture] = self._awaited.get(architecture, 0) + 1
        return architecture

    def _child(self) -> Architecture:
        population = self._population
        num_members = len(population)
        draws = self._generator.random(self._tournament_size).tolist()
        # of equal members the one drawn first wins, so the comparison leaves the architecture out
        _, parent = min([population[int(draw * num_members)] for draw in draws], key=_rank)
        return mutate(self._space, parent, self._generator)

    def _settle(self, architecture: Architecture) -> None:
        number = self._awaited.get(architecture, 0)
        if number > 1:
            self._awaited[architecture] = number - 1
        elif number:
            del self._awaited[architecture]


def _rank(member: tuple[tuple[float, ...], Architecture]) -> tuple[float, ...]:
    return member[0]
