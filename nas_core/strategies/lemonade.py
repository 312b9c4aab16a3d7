"""LEMONADE: evolution of a Pareto front by morphisms, towards where its cheap objectives are sparse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nas_core import morphing, pareto
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.screen import Screen
from nas_core.space import HasMorphisms, SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import mutate

Key = tuple[float, ...]
Array = NDArray[np.float64]
Breed = Callable[[Architecture, np.random.Generator], Proposal]
"""Makes a random child of a parent."""

MAX_REPEATS = 100


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    screen: Screen,
    num_children: Annotated[int, Ge(1)] = 80,
    num_accepted: Annotated[int, Ge(1)] = 8,
    num_initial: Annotated[int, Ge(1)] = 10,
) -> Strategy:
    """Return LEMONADE.

    Args:
        space: what is searched. In one without morphisms, children are mutations.
        objectives: at least one, of equal standing on the front; the first alone decides what is recommended of it.
        streams: source of randomness.
        screen: gives the cheap objectives, such as num_parameters and flops. These are to be among `objectives`, too:
            what is none of them decides where children are sought and not which of them survive.
        num_children: children of a generation, of which the cheap objectives are taken.
        num_accepted: those of them that are evaluated.
        num_initial: uniform samples that a search in a space without morphisms starts from. With morphisms it starts
            from the network of first options.

    Raises:
        ValueError: if more children would be accepted than there are.
    """
    if num_accepted > num_children:
        raise ValueError(
            f"num_accepted is {num_accepted}, larger than num_children {num_children}; lower it or raise num_children"
        )
    breed: Breed
    if isinstance(space, HasMorphisms):
        breed, first, num_awaited = partial(morphing.changed, space), morphing.start(space), 1
    else:
        breed, first, num_awaited = partial(mutated, space), None, num_initial
    generator = streams.numpy("lemonade")
    return Lemonade(space, objectives, generator, screen, breed, num_children, num_accepted, num_awaited, first)


def mutated(space: SearchSpace, parent: Architecture, generator: np.random.Generator) -> Proposal:
    """Return a mutation of the parent, which inherits nothing."""
    return Proposal(mutate(space, parent, generator))


def log_densities(members: Array, points: Array) -> Array:
    """Return the logarithm of the members' kernel density at some points.

    p(x) = 1/n sum_i prod_d N(x_d; m_id, (h s_d)^2), with s_d the standard deviation of the members in dimension d, 1
    where they do not differ, and Scott's h = n^(-1/(num_dimensions + 4)). So a single member, or members on a line,
    have a density, too; up to a constant, which is the same for all points.

    Args:
        members: (num_members, num_dimensions).
        points: (num_points, num_dimensions).

    Returns:
        (num_points,), without the constant of scale prod_d 1 / s_d.
    """
    from sklearn.neighbors import KernelDensity

    scale = np.ones(members.shape[1])
    differ = np.ptp(members, axis=0) > 0
    if differ.any():
        scale[differ] = members[:, differ].std(axis=0, ddof=1)
    found: Array = KernelDensity(bandwidth="scott").fit(members / scale).score_samples(points / scale)
    return found


def inverse_density_probabilities(log_density: Array) -> Array:
    """Return probabilities (num_points,) that are inverse to densities: p_i = (1 / d_i) / sum_j 1 / d_j."""
    weights: Array = np.exp(log_density.min() - log_density)
    weights /= weights.sum()
    return weights


def on_log_scale(costs: Array) -> Array:
    """Return costs (num_points, num_costs) with the logarithm of those that are positive throughout, such as sizes."""
    scaled = costs.copy()
    positive = (costs > 0).all(axis=0)
    scaled[:, positive] = np.log(costs[:, positive])
    return scaled


class Lemonade:
    """Lamarckian evolution for many objectives (Elsken, Metzen & Hutter 2019, arXiv:1804.09081, algorithm 1).

    The population is the Pareto front of all that was evaluated. In each generation the density of the population is
    estimated over the cheap objectives; `num_children` children are made, each by one change of a parent drawn with
    probability inverse to the density there; of these, `num_accepted` are drawn, again with probability inverse to the
    density of the population, and they alone are evaluated. A change is a function-preserving morphism or an
    approximate one, which makes the network smaller: a proposal names it and its parent, whose weights an evaluator
    may inherit.

    Follows the paper, whose numbers of children could not be checked against its text; `log_densities` is the kernel
    that it leaves open, with positive objectives by their logarithm. Differs from it: the search starts from one
    network, that of first options; equal networks, by canonical form, are drawn again and never evaluated twice. With
    limits, which the paper has none of, the front is that of the members within them or, where there is none, of those
    with the least excess; and no child is accepted that exceeds the limits of the cheap objectives by more than its
    parent does.

    What the paper leaves open: a generation may be asked for in several rounds, and a round never reaches into the next
    one, which starts from what was told by then; failures never enter the population, and evaluations of others'
    proposals enter like one's own; what the screen fails to score is neither a parent nor a child. Where no new child
    is found, uniform samples are asked for.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        screen: Screen,
        breed: Breed,
        num_children: int,
        num_accepted: int,
        num_initial: int,
        first: Architecture | None,
    ) -> None:
        """Start without a population; nothing is scored before a generation is asked for.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of samples, parents and acceptance.
            screen: gives the cheap objectives.
            breed: makes a random child of a parent.
            num_children: see `build`.
            num_accepted: see `build`.
            num_initial: successes that are awaited before the first generation.
            first: the first network that is asked for; None for a uniform sample.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._screen = screen
        self._breed = breed
        self._num_children = num_children
        self._num_accepted = num_accepted
        self._num_initial = num_initial
        self._first = first
        self._known = KnownNetworks(space)
        self._num_told = 0
        # (rank key, architecture): excess over the limits, then the costs
        self._population: list[tuple[Key, Architecture]] = []
        # accepted children that are not asked for yet
        self._waiting: list[Proposal] = []

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` first networks, then accepted children of a generation; none once hardly any is new."""
        if self._num_told < self._num_initial:
            founders = self._founders(min(count, self._num_initial - self._num_told))
            if founders or not self._population:
                return founders
        if count and not self._waiting:
            self._waiting = self._generation()
            if not self._waiting:
                return self._founders(count)
        asked, self._waiting = self._waiting[:count], self._waiting[count:]
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let the successes into the population, and keep its front."""
        entered = False
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._num_told += 1
                self._population.append((key, architecture))
                entered = True
        if entered:
            self._population = _front(self._population)

    def recommend(self) -> Architecture:
        """Return the best architecture ever told by the first objective, within limits; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what is known, the population and the children not asked for yet."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "num_told": self._num_told,
            "population": [[list(key), list(architecture.decisions)] for key, architecture in self._population],
            "waiting": morphing.written(self._waiting),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._num_told = state["num_told"]
        self._population = [(tuple(key), Architecture(name, tuple(made))) for key, made in state["population"]]
        self._waiting = morphing.read(name, state["waiting"])

    def _founders(self, count: int) -> list[Proposal]:
        if count and self._first is not None and self._first not in self._known:
            self._known.add(self._first)
            return [Proposal(self._first)]
        return [Proposal(architecture) for architecture in self._known.sample_new(count, self._generator)]

    def _generation(self) -> list[Proposal]:
        """Return the children of a generation that are accepted; none where none is new."""
        members = [architecture for _, architecture in self._population]
        parents = _scored(members, self._screen.rank_keys(members))
        if not parents:
            return []
        parent_costs = np.array([key[1:] for key in parents.values()])
        bred = self._bred(parents, parent_costs)
        keys = _scored(bred, self._screen.rank_keys(list(bred)))
        able = [child for child, key in keys.items() if key[0] <= parents[bred[child][0]][0]]
        if not able:
            return []
        costs = on_log_scale(np.vstack([parent_costs, [keys[child][1:] for child in able]]))
        log_density = log_densities(costs[: len(parents)], costs[len(parents) :])
        # to draw without replacement, in proportion to weights, is to take the largest of log weight + Gumbel noise
        order = np.argsort(log_density - self._generator.gumbel(size=len(able)), kind="stable")
        accepted = [able[place] for place in order[: self._num_accepted].tolist()]
        for child in accepted:
            self._known.add(child)
        return [bred[child][1] for child in accepted]

    def _bred(
        self, parents: Mapping[Architecture, Key], costs: Array
    ) -> dict[Architecture, tuple[Architecture, Proposal]]:
        """Return up to `num_children` different unknown children, each with its parent and its proposal.

        A parent whose children were known 100 times in a row is drawn no more.
        """
        points = on_log_scale(costs)
        log_density = log_densities(points, points)
        fertile = list(parents)
        bounds = np.cumsum(inverse_density_probabilities(log_density))
        found: dict[Architecture, tuple[Architecture, Proposal]] = {}
        drawn = KnownNetworks(self._space)
        num_repeats = [0] * len(fertile)
        while len(found) < self._num_children and fertile:
            place = min(int(bounds.searchsorted(self._generator.random(), side="right")), len(fertile) - 1)
            proposal = self._breed(fertile[place], self._generator)
            num_repeats[place] += 1
            if proposal.architecture not in self._known and proposal.architecture not in drawn:
                num_repeats[place] = 0
                drawn.add(proposal.architecture)
                found[proposal.architecture] = (fertile[place], proposal)
            elif num_repeats[place] == MAX_REPEATS:
                del fertile[place], num_repeats[place]
                log_density = np.delete(log_density, place)
                if fertile:
                    bounds = np.cumsum(inverse_density_probabilities(log_density))
        return found


def _scored(
    architectures: Sequence[Architecture] | Mapping[Architecture, Any], keys: Sequence[Key | None]
) -> dict[Architecture, Key]:
    pairs = zip(architectures, keys, strict=True)
    return {architecture: key for architecture, key in pairs if key is not None}


def _front(population: Sequence[tuple[Key, Architecture]]) -> list[tuple[Key, Architecture]]:
    """Return the members with the least excess that no other of these dominates; of one network, each score once."""
    different = list(dict.fromkeys(population))
    keys = np.array([key for key, _ in different])
    rows = np.flatnonzero(keys[:, 0] == keys[:, 0].min())
    return [different[row] for row in rows[pareto.front(keys[rows, 1:])].tolist()]
