"""Hill climbing by network morphisms: the best of a network's morphed children, trained briefly, goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from nas_core import morphing
from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import HasMorphisms, SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import neighbors

Key = tuple[float, ...]
Children = Callable[[Architecture, KnownNetworks, np.random.Generator], list[Proposal]]
"""Returns what a step asks for: unknown networks that come from the given one, and perhaps that one itself."""

MAX_REPEATS = 100


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    num_neighbors: Annotated[int, Ge(2)] = 8,
    num_morphisms: Annotated[int, Ge(1)] = 5,
    train_on: bool = True,
) -> Strategy:
    """Return hill climbing, by default with the settings of its paper (NASH).

    Args:
        space: what is searched. One without morphisms is climbed in steps of one edit.
        objectives: at least one; the first decides what is better, the others break ties.
        streams: source of randomness.
        num_neighbors: networks that are evaluated in a step.
        num_morphisms: morphisms in sequence that make a child.
        train_on: whether the last of a step's networks is the current one, trained on for as long as its children.
            Where no weights are inherited it would only be scored again: then set it to false, for one child more. In a
            space without morphisms it is not done.
    """
    children: Children
    if isinstance(space, HasMorphisms):
        children = morphed_children(space, num_neighbors, num_morphisms, train_on)
        first = morphing.start(space)
    else:
        children, first = edited_children(space, num_neighbors), None
    return HillClimbing(space, objectives, streams.numpy("hill_climbing"), children, first)


def morphed_children(space: HasMorphisms, num_neighbors: int, num_morphisms: int, train_on: bool) -> Children:
    """Return what gives children by random morphisms and, as the last, the parent to be trained on.

    A child that is known is drawn again, up to 100 times in a row. Without any new child there is nothing.
    """

    def children(parent: Architecture, known: KnownNetworks, generator: np.random.Generator) -> list[Proposal]:
        found: list[Proposal] = []
        num_repeats = 0
        while len(found) < num_neighbors - train_on and num_repeats < MAX_REPEATS:
            child = morphing.grown(space, parent, num_morphisms, generator)
            num_repeats += 1
            if child.architecture not in known:
                num_repeats = 0
                known.add(child.architecture)
                found.append(child)
        return [*found, Proposal(parent, parent=parent)] if found and train_on else found

    return children


def edited_children(space: SearchSpace, num_neighbors: int) -> Children:
    """Return what gives random unknown one-edit neighbors, which inherit nothing."""

    def children(parent: Architecture, known: KnownNetworks, generator: np.random.Generator) -> list[Proposal]:
        around = list(neighbors(space, parent))
        found: list[Proposal] = []
        for place in generator.permutation(len(around)).tolist():
            if len(found) < num_neighbors and around[place] not in known:
                known.add(around[place])
                found.append(Proposal(around[place]))
        return found

    return children


class HillClimbing:
    """Neural architecture search by hill climbing (NASH: Elsken, Metzen & Hutter 2017, arXiv:1711.04528, algorithm 1).

    At first a small network is trained. Then each step evaluates `num_neighbors` networks: children of the current one,
    each by `num_morphisms` random function-preserving morphisms in sequence, and last the current network itself,
    trained on for as long as they are. The best of these is the next current network. A proposal names its parent,
    which for the last is the network itself, and the morphisms, so that an evaluator may let the weights go on; how
    long it trains is its own part (17 epochs, cosine-annealed from .05, in the paper).

    Follows the paper, with the space's morphisms, and with known networks, by canonical form, drawn again; that the
    current network is trained on, as one of the `num_neighbors`, could not be checked against its text. The climb
    starts at the member of first options, a small plain network as in the paper. Where an evaluator keeps a network's
    weights as they were when it was first trained, as those here do, children inherit these, even of a network that won
    by being trained on.

    What the paper leaves open: a step may be asked for in several rounds, and a round never reaches into the next step;
    the current network keeps its score where its training on failed or was not told, and of equals it stays; where no
    child is better, the next step has further children of the same network; where the first network failed, a uniform
    sample takes its place; evaluations of others' proposals count like those of children. Where no new child is found,
    a climb from a uniform sample begins.

    In a space without morphisms the first network is a uniform sample, and a step evaluates `num_neighbors` one-edit
    neighbors of the current network, which keeps its score.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        children: Children,
        first: Architecture | None,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of children and samples.
            children: gives what a step asks for.
            first: where the climb starts; None for a uniform sample.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._children = children
        self._first = first
        self._known = KnownNetworks(space)
        # what of the step is not asked for yet
        self._waiting: list[Proposal] = []
        # what the next current network is chosen among: the current one, then what was told in this step
        self._candidates: dict[Architecture, Key] = {}

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` networks of one step; none once hardly any network is unknown."""
        if count and not self._waiting:
            self._waiting = self._step()
        asked, self._waiting = self._waiting[:count], self._waiting[count:]
        return asked

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Let each success take part in the choice of the next current network."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._candidates[architecture] = key

    def recommend(self) -> Architecture:
        """Return the best architecture ever told; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what is known, and the step: what it waits for and chooses among."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "waiting": morphing.written(self._waiting),
            "candidates": [[list(key), list(architecture.decisions)] for architecture, key in self._candidates.items()],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._waiting = morphing.read(name, state["waiting"])
        self._candidates = {Architecture(name, tuple(made)): tuple(key) for key, made in state["candidates"]}

    def _step(self) -> list[Proposal]:
        if self._candidates:
            current = min(self._candidates, key=self._candidates.__getitem__)
            self._candidates = {current: self._candidates[current]}
            found = self._children(current, self._known, self._generator)
            if found:
                return found
            self._candidates = {}
        if self._first is not None and self._first not in self._known:
            self._known.add(self._first)
            return [Proposal(self._first)]
        return [Proposal(architecture) for architecture in self._known.sample_new(1, self._generator)]
