"""NSGA-II: evolution of a population towards the Pareto front, spread along it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval
from numpy.typing import NDArray

from nas_core import pareto
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import crossover, mutate, sample

Key = tuple[float, ...]
Array = NDArray[np.float64]


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    population_size: Annotated[int, Ge(2)] = 20,
    crossover_probability: Annotated[float, Interval(ge=0, le=1)] = 0.9,
    mutation_probability: Annotated[float, Interval(ge=0, le=1)] = 1.0,
) -> Strategy:
    """Return NSGA-II.

    Args:
        space: what is searched.
        objectives: at least one, of equal standing; the first alone decides what is recommended of the front.
        streams: source of randomness.
        population_size: members kept, and successes that make a generation (Deb et al.: 100; fewer for the budgets of
            architecture search).
        crossover_probability: of a child to have two parents.
        mutation_probability: of a child to differ from what it inherits in one choice.

    Raises:
        ValueError: if children would have one parent and no mutation.
    """
    if crossover_probability == mutation_probability == 0:
        raise ValueError(
            "crossover_probability and mutation_probability are both 0, so that all children are copies; raise one"
        )
    generator = streams.numpy("nsga2")
    return NSGA2(space, objectives, generator, population_size, crossover_probability, mutation_probability)


def constrained_ranks(keys: Array) -> NDArray[np.intp]:
    """Return the rank of each row under constrained domination (Deb et al. 2002, section VI-A).

    A row that keeps all limits dominates any that does not; of two that do not, the one with the lower excess
    dominates; of two that do, dominance of the costs decides.

    Args:
        keys: (num_points, 1 + num_objectives), the excess over the limits first, then the costs.

    Returns:
        (num_points,) ranks, 0 for what nothing dominates.
    """
    excess = keys[:, 0]
    keeps = excess <= 0
    found = np.zeros(len(keys), dtype=np.intp)
    found[keeps] = pareto.ranks(keys[keeps, 1:])
    first = found[keeps].max() + 1 if keeps.any() else 0
    found[~keeps] = first + np.unique(excess[~keeps], return_inverse=True)[1]
    return found


def ranks_and_distances(keys: Array) -> tuple[NDArray[np.intp], Array]:
    """Return the constrained rank of each row, and its crowding distance among the rows of its rank.

    Args:
        keys: as for `constrained_ranks`.
    """
    ranks = constrained_ranks(keys)
    distances = np.zeros(len(keys))
    for rank in range(ranks.max(initial=-1) + 1):
        rows = ranks == rank
        distances[rows] = pareto.crowding_distances(keys[rows, 1:])
    return ranks, distances


class NSGA2:
    """Elitist non-dominated sorting (Deb et al. 2002, IEEE Transactions on Evolutionary Computation 6(2)).

    The first generation is sampled uniformly. Each child has the winners of two binary tournaments as parents: the
    lower non-dominated rank wins, of equal ranks the greater crowding distance. Once a generation of children is told,
    the population is the best `population_size` of the old population and the children, in the order of rank and then
    crowding distance. Limits count by constrained domination, in tournaments as in survival.

    Differs from the paper: choices are categorical, so crossover is uniform (the paper's is one-point or simulated
    binary) and gives one child a pair, and a mutation changes exactly one choice (the paper: each with probability 1 /
    number of choices, one on average). What the paper leaves open: any number of proposals may be asked from one
    population; a generation is complete when as many successes as there are members were told, others' proposals
    included, so that failures are made up for by further children.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        population_size: int,
        crossover_probability: float,
        mutation_probability: float,
    ) -> None:
        """Start without a population; see `build`."""
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._population_size = population_size
        self._crossover_probability = crossover_probability
        self._mutation_probability = mutation_probability
        # (rank key, architecture): excess over the limits, then the costs
        self._population: list[tuple[Key, Architecture]] = []
        self._children: list[tuple[Key, Architecture]] = []
        # of each member (rank, minus crowding distance): the lower wins
        self._standings: list[tuple[int, float]] = []

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` proposals: samples until there is a population, then children of tournaments' winners."""
        return [
            Proposal(self._child() if self._population else sample(self._space, self._generator)) for _ in range(count)
        ]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Gather the successes; each time they make a generation, let the best of it and of the population survive."""
        for evaluation in evaluations:
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._children.append((key, evaluation.proposal.architecture))
                if len(self._children) == self._population_size:
                    self._survive()

    def recommend(self) -> Architecture:
        """Return the best architecture ever told by the first objective, within limits; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, the population and the children told since."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "population": [[list(key), list(architecture.decisions)] for key, architecture in self._population],
            "children": [[list(key), list(architecture.decisions)] for key, architecture in self._children],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._population = [(tuple(key), Architecture(name, tuple(made))) for key, made in state["population"]]
        self._children = [(tuple(key), Architecture(name, tuple(made))) for key, made in state["children"]]
        self._standings = _standings(self._population)

    def _survive(self) -> None:
        candidates = [*self._population, *self._children]
        standings = _standings(candidates)
        order = sorted(range(len(candidates)), key=standings.__getitem__)[: self._population_size]
        self._population = [candidates[place] for place in order]
        # tournaments go by what members are worth among themselves
        self._standings = _standings(self._population)
        self._children = []

    def _child(self) -> Architecture:
        child = self._winner()
        crosses, mutates = self._generator.random(2).tolist()
        if crosses < self._crossover_probability:
            child = crossover(self._space, child, self._winner(), self._generator)
        if mutates < self._mutation_probability:
            child = mutate(self._space, child, self._generator)
        return child

    def _winner(self) -> Architecture:
        num_members = len(self._population)
        places = [int(draw * num_members) for draw in self._generator.random(2).tolist()]
        # of equal members the one drawn first wins
        return self._population[min(places, key=self._standings.__getitem__)][1]


def _standings(members: Sequence[tuple[Key, Architecture]]) -> list[tuple[int, float]]:
    if not members:
        return []
    ranks, distances = ranks_and_distances(np.array([key for key, _ in members]))
    return list(zip(ranks.tolist(), (-distances).tolist(), strict=True))
