"""Local search: climb from the best of a few samples to a better neighbor until none is left, then start again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import neighbors

Key = tuple[float, ...]


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    num_initial: Annotated[int, Ge(1)] = 10,
    skip_equal_networks: bool = False,
) -> Strategy:
    """Return local search, by default with the settings of its authors' code (Naszilla).

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is better, the others break ties.
        streams: source of randomness.
        num_initial: random samples the best of which a climb starts from.
        skip_equal_networks: whether what has the canonical form of something known is known too. The authors' code
            knows architectures by their names alone, so that one network may be evaluated under several.
    """
    form = space.canonical if skip_equal_networks else _by_name
    return LocalSearch(space, objectives, streams.numpy("local_search"), num_initial, KnownNetworks(space, form))


class LocalSearch:
    """Hill climbing in the graph of one-edit changes (White et al. 2020, arXiv:2005.02960).

    A climb starts from the best of `num_initial` uniform samples. The neighbors of where it stands are asked for in
    random order; the first that is better is where it stands next. Where none is better, that is a local optimum, and
    a climb from new samples begins. What was asked for once is not asked for again, in no later climb either.

    Follows the authors' code where one proposal is asked and told at a time. What that leaves open: of several
    neighbors asked at once each that is better than where the climb stands by then moves it; where the neighbors do
    not fill a round, samples for the next climb do, and a late neighbor that is better takes the climb up again;
    failures are passed over, and a failed sample is made up for by a further one; others' proposals count as samples
    between two climbs, and a better one moves a climb.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        generator: np.random.Generator,
        num_initial: int,
        known: KnownNetworks,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            objectives: at least one.
            generator: of samples and orders.
            num_initial: see `build`.
            known: what is not to be asked for.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._num_initial = num_initial
        self._known = known
        # where the climb stands: (rank key, architecture)
        self._current: tuple[Key, Architecture] | None = None
        # its neighbors in the order in which they are asked for, the next one last
        self._waiting: list[Architecture] = []
        # neighbors asked for and not told yet
        self._asked: dict[Architecture, None] = {}
        # whether samples for the next climb are gathered, how many there are and the best of them
        self._is_starting = True
        self._num_starts = 0
        self._start: tuple[Key, Architecture] | None = None

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` unknown neighbors, then samples; fewer once hardly any network is unknown."""
        chosen: list[Architecture] = []
        while self._waiting and len(chosen) < count:
            neighbor = self._waiting.pop()
            if neighbor not in self._known:
                self._known.add(neighbor)
                self._asked[neighbor] = None
                chosen.append(neighbor)
        if len(chosen) < count:
            self._is_starting = True
            chosen.extend(self._known.sample_new(count - len(chosen), self._generator))
        return [Proposal(architecture) for architecture in chosen]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Move to what is better, in the order told."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            self._known.add(architecture)
            is_neighbor = architecture in self._asked
            self._asked.pop(architecture, None)
            key = self._incumbent.consider(evaluation)
            if key is None:
                continue
            if self._is_starting and not is_neighbor:
                self._add_start(key, architecture)
            elif self._current is None or key < self._current[0]:
                self._move(key, architecture)

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what is known, where the climb stands and what the next starts from."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": self._known.state(),
            "current": _written(self._current),
            "waiting": [list(architecture.decisions) for architecture in self._waiting],
            "asked": [list(architecture.decisions) for architecture in self._asked],
            "is_starting": self._is_starting,
            "num_starts": self._num_starts,
            "start": _written(self._start),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._known.restore(state["known"])
        self._current = _read(name, state["current"])
        self._waiting = [Architecture(name, tuple(decisions)) for decisions in state["waiting"]]
        self._asked = {Architecture(name, tuple(decisions)): None for decisions in state["asked"]}
        self._is_starting = state["is_starting"]
        self._num_starts = state["num_starts"]
        self._start = _read(name, state["start"])

    def _add_start(self, key: Key, architecture: Architecture) -> None:
        self._num_starts += 1
        if self._start is None or key < self._start[0]:
            self._start = (key, architecture)
        if self._num_starts >= self._num_initial:
            self._move(*self._start)

    def _move(self, key: Key, architecture: Architecture) -> None:
        self._current = (key, architecture)
        found = list(neighbors(self._space, architecture))
        self._waiting = [found[place] for place in self._generator.permutation(len(found)).tolist()]
        self._is_starting = False
        self._num_starts = 0
        self._start = None


def _by_name(architecture: Architecture) -> Architecture:
    return architecture


def _written(place: tuple[Key, Architecture] | None) -> list[list[float]] | None:
    return None if place is None else [list(place[0]), list(place[1].decisions)]


def _read(space: str, written: Sequence[Sequence[Any]] | None) -> tuple[Key, Architecture] | None:
    return None if written is None else (tuple(written[0]), Architecture(space, tuple(written[1])))
