"""Random search: every proposal is drawn uniformly and nothing is learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nas_core.architecture import Architecture
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import sample


def build(
    space: SearchSpace, objectives: Sequence[Objective], streams: Streams, *, allow_repeats: bool = True
) -> Strategy:
    """Return random search.

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is recommended, the others break ties.
        streams: source of randomness.
        allow_repeats: whether a network may be proposed again. Where it may not, two architectures of equal canonical
            form are one network, and the search ends when 1,000 samples in a row were known.
    """
    return RandomSearch(space, objectives, streams.numpy("random_search"), allow_repeats)


class RandomSearch:
    """Uniform sampling from the space, with or without repeats.

    The baseline that any method has to beat (Li and Talwalkar 2019, arXiv:1902.07638); on shared weights it is their
    random search with weight sharing. Differs from the paper: by default repeats are possible, as in its code; the
    paper's spaces are too large for the difference to show.
    """

    def __init__(
        self, space: SearchSpace, objectives: Sequence[Objective], generator: np.random.Generator, allow_repeats: bool
    ) -> None:
        """Start with nothing proposed; see `build`."""
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._generator = generator
        self._known = None if allow_repeats else KnownNetworks(space)

    def ask(self, count: int) -> list[Proposal]:
        """Return `count` samples; without repeats fewer, once hardly anything is left."""
        if self._known is None:
            return [Proposal(sample(self._space, self._generator)) for _ in range(count)]
        return [Proposal(architecture) for architecture in self._known.sample_new(count, self._generator)]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Remember the best; without repeats also what others proposed."""
        for evaluation in evaluations:
            self._incumbent.consider(evaluation)
            if self._known is not None:
                self._known.add(evaluation.proposal.architecture)

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, and what is known if repeats are not allowed."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "known": None if self._known is None else self._known.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave.

        Raises:
            ValueError: if the state is of a search with the other setting of `allow_repeats`.
        """
        known = state["known"]
        if (known is None) != (self._known is None):
            raise ValueError("the state is of a random search with another allow_repeats; set it as it was")
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        if self._known is not None:
            self._known.restore(known)
