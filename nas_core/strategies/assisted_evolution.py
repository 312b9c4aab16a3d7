"""Assisted evolution: cheap scores choose who starts regularized evolution, and may choose its moves."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.screen import Screen
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import mutate, neighbors, sample


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    screen: Screen,
    pool_size: Annotated[int, Ge(1)] = 1000,
    population_size: Annotated[int, Ge(1)] = 10,
    tournament_size: Annotated[int, Ge(1)] = 3,
    propose_moves: bool = False,
    random_move_probability: Annotated[float, Interval(ge=0, le=1)] = 0.25,
) -> Strategy:
    """Return evolution that is assisted by cheap scores.

    By default it is NASWOT's (AREA). Zero-cost warm-up has pool_size 3000, population_size 64 and tournament_size 10;
    with propose_moves the cheap scores choose among the neighbors of a parent, too.

    Args:
        space: what is searched.
        objectives: at least one; the first decides a tournament, the others break ties.
        streams: source of randomness.
        screen: ranks architectures cheaply.
        pool_size: random networks that are ranked at the start.
        population_size: members kept, and the best of the pool that start.
        tournament_size: members drawn, with replacement, to choose a parent from.
        propose_moves: whether a child is the best neighbor of its parent by the cheap scores, instead of a random one.
        random_move_probability: of a random neighbor all the same.

    Raises:
        ValueError: if the tournament is larger than the population, or the population than the pool.
    """
    if tournament_size > population_size:
        raise ValueError(
            f"tournament_size is {tournament_size}, larger than population_size {population_size}; "
            "lower it or raise the population"
        )
    if population_size > pool_size:
        raise ValueError(
            f"population_size is {population_size}, larger than pool_size {pool_size}; lower it or raise the pool"
        )
    return AssistedEvolution(
        space,
        objectives,
        streams.numpy("assisted_evolution"),
        screen,
        pool_size,
        population_size,
        tournament_size,
        random_move_probability if propose_moves else 1.0,
    )


class AssistedEvolution:
    """Regularized evolution that starts from the best of a pool (Mellor et al. 2021, arXiv:2006.04647: AREA).

    The pool is sampled uniformly, without repeats, and ranked by cheap scores; the best `population_size` are evaluated
    and are the first population. What follows is aging evolution (Real et al. 2019, arXiv:1802.01548). This start is
    the zero-cost warm-up of Abdelfattah et al. 2021 (arXiv:2101.08134), too; their move proposal ranks all neighbors of
    a tournament's winner by the cheap scores and takes the best, or with probability `random_move_probability` a random
    neighbor.

    Follows the papers, whose sizes are settings; those of AREA could not be checked against its text. What they leave
    open: the best neighbor is the best that was not proposed yet; where a first member failed, the next best of the
    pool takes its place, and where the pool is used up a uniform sample; several proposals asked at once come from one
    population; failures never enter it, and evaluations of others' proposals enter like one's own. Cheap scores choose
    proposals alone: they rank nothing that was evaluated.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        screen: Screen,
        pool_size: int,
        population_size: int,
        tournament_size: int,
        random_move_probability: float,
    ) -> None:
        """Start with an empty population; see `build`. Nothing is scored before the first `ask`."""
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._screen = screen
        self._pool_size = pool_size
        self._population_size = population_size
        self._tournament_size = tournament_size
        self._random_move_probability = random_move_probability
        self._known = KnownNetworks(space)
        # what is left of the pool, the best first; None before it was drawn
        self._pool: deque[Architecture] | None = None
        # (rank key, architecture), the oldest first
        self._population: deque[tuple[tuple[float, ...], Architecture]] = deque(maxlen=population_size)
        # first members asked for and not told yet
        self._awaited: dict[Architecture, None] = {}

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` proposals: the best of the pool until the population is provided for, then children."""
        return [Proposal(self._child() if self._is_provided_for() else self._founder()) for _ in range(count)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let each success into the population, in the order told; the oldest leave."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            self._awaited.pop(architecture, None)
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._population.append((key, architecture))
        if self._pool and len(self._population) == self._population_size:
            self._pool.clear()

    def recommend(self) -> Architecture:
        """Return the best architecture ever told, dead members included; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, the pool, the population and what is known and awaited."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "pool": None if self._pool is None else [list(architecture.decisions) for architecture in self._pool],
            "population": [[list(key), list(architecture.decisions)] for key, architecture in self._population],
            "awaited": [list(architecture.decisions) for architecture in self._awaited],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        pool = state["pool"]
        self._pool = None if pool is None else deque(Architecture(name, tuple(made)) for made in pool)
        self._population.clear()
        self._population.extend((tuple(key), Architecture(name, tuple(made))) for key, made in state["population"])
        self._awaited = {Architecture(name, tuple(made)): None for made in state["awaited"]}

    def _is_provided_for(self) -> bool:
        num_members = len(self._population)
        return num_members > 0 and num_members + len(self._awaited) >= self._population_size

    def _founder(self) -> Architecture:
        if self._pool is None:
            drawn = KnownNetworks(self._space).sample_new(self._pool_size, self._generator)
            self._pool = deque(self._screen.ranked(drawn))
        architecture = None
        while self._pool and architecture is None:
            best = self._pool.popleft()
            architecture = None if best in self._known else best
        if architecture is None:
            architecture = sample(self._space, self._generator)
        self._known.add(architecture)
        self._awaited[architecture] = None
        return architecture

    def _child(self) -> Architecture:
        population = self._population
        num_members = len(population)
        *draws, chance = self._generator.random(self._tournament_size + 1).tolist()
        # of equal members the one drawn first wins, so the comparison leaves the architecture out
        _, parent = min([population[int(draw * num_members)] for draw in draws], key=_rank)
        child = None
        if chance >= self._random_move_probability:
            unknown = [neighbor for neighbor in neighbors(self._space, parent) if neighbor not in self._known]
            child = next(iter(self._screen.ranked(unknown)), None)
        if child is None:
            child = mutate(self._space, parent, self._generator)
        self._known.add(child)
        return child


def _rank(member: tuple[tuple[float, ...], Architecture]) -> tuple[float, ...]:
    return member[0]
