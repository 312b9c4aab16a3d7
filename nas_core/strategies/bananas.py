"""BANANAS: Bayesian optimization with an ensemble of networks on the path encoding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from nas_core.architecture import Architecture
from nas_core.encodings import one_hot, paths
from nas_core.evaluation import Evaluation, Proposal
from nas_core.incumbent import Incumbent
from nas_core.known_networks import KnownNetworks
from nas_core.objectives import Objective
from nas_core.predictor import Predictor
from nas_core.predictors import mlp_ensemble
from nas_core.randomness import Streams, generator_state, restore_generator
from nas_core.space import HasPathEncoding, SearchSpace
from nas_core.strategy import Strategy
from nas_core.variation import mutate

Array = NDArray[np.float64]


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    num_initial: Annotated[int, Ge(2)] = 10,
    num_candidates: Annotated[int, Ge(1)] = 100,
    num_parents: Annotated[int, Ge(1)] = 1,
    path_encoding: bool = True,
    num_paths: Annotated[int, Ge(1)] | None = None,
    num_members: Annotated[int, Ge(2)] = 5,
    num_layers: Annotated[int, Ge(1)] = 10,
    width: Annotated[int, Ge(1)] = 20,
    num_epochs: Annotated[int, Ge(1)] = 150,
    batch_size: Annotated[int, Ge(1)] = 32,
    learning_rate: Annotated[float, Gt(0)] = 0.01,
) -> Strategy:
    """Return BANANAS, by default with the published settings; ten proposals a round are the paper's.

    Args:
        space: what is searched.
        objectives: at least one. The first alone is predicted; the order of the parents and what is recommended
            follow all of them, and the limits.
        streams: source of randomness.
        num_initial: successes that are awaited, by random proposals, before the first fit.
        num_candidates: mutations among which the acquisition function chooses.
        num_parents: best architectures among which these mutations are divided.
        path_encoding: whether to use the space's path encoding where it has one; else options are one-hot.
        num_paths: bits of the path encoding to keep, the shortest paths first; None keeps all.
        num_members: networks of the ensemble.
        num_layers: hidden layers of each.
        width: units of a hidden layer.
        num_epochs: passes over what was told.
        batch_size: architectures a step.
        learning_rate: of Adam.

    Raises:
        ValueError: if paths are to be counted in a space without them.
    """
    if path_encoding and isinstance(space, HasPathEncoding):
        encode: Callable[[Sequence[Architecture]], Array] = partial(paths, space, num_paths=num_paths)
    elif num_paths is None:
        encode = partial(one_hot, space.choices)
    else:
        raise ValueError(
            f"num_paths is {num_paths}, but {space.name} is encoded without paths; leave num_paths out, "
            "or use path_encoding in a space that has one"
        )
    predictor = partial(
        mlp_ensemble.build,
        num_members=num_members,
        num_layers=num_layers,
        width=width,
        num_epochs=num_epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
    )
    return Bananas(
        space, objectives, streams.child("bananas"), encode, predictor, num_initial, num_candidates, num_parents
    )


class Bananas:
    """Neural predictor, mutations of the best as candidates, independent Thompson sampling (arXiv:1910.11858).

    After `num_initial` random architectures, each `ask(k)` fits the ensemble to everything told, mutates the best
    architectures in one choice each, draws a cost ~ N(mean, standard deviation) for every mutation independently, and
    proposes the k with the lowest draws.

    Follows the authors' code in leaving out what was proposed before (compared by canonical form), and in passing to
    the next best parent where a neighborhood is used up. Differs: not five parents but all that were told may be
    passed to, and what is still missing then is filled up by random architectures; canonical forms are encoded, so
    that two names of one network have the same features. Failures are never proposed again and teach nothing else;
    others' proposals are learnt from like one's own.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        streams: Streams,
        encode: Callable[[Sequence[Architecture]], Array],
        predictor: Callable[[Streams], Predictor],
        num_initial: int,
        num_candidates: int,
        num_parents: int,
    ) -> None:
        """Start with nothing told.

        Args:
            space: what is searched.
            objectives: at least one.
            streams: source of the proposals and of each fit.
            encode: architectures -> features (num_architectures, num_features).
            predictor: returns a new predictor that draws from the given streams.
            num_initial: see `build`, as for the rest.
            num_candidates: mutations.
            num_parents: architectures that are mutated.
        """
        self._space = space
        self._incumbent = Incumbent(space.name, objectives)
        self._streams = streams
        self._generator = streams.numpy("proposals")
        self._encode = encode
        self._predictor = predictor
        self._num_initial = num_initial
        self._num_candidates = num_candidates
        self._num_parents = num_parents
        # (rank key, architecture) of each success, as told
        self._told: list[tuple[tuple[float, ...], Architecture]] = []
        self._known = KnownNetworks(space)

    def ask(self, count: int) -> list[Proposal]:
        """Return up to `count` architectures that were not proposed before; fewer once hardly any is left."""
        chosen: list[Architecture] = []
        if count and len(self._told) >= self._num_initial:
            candidates = self._candidates()
            if candidates:
                chosen = self._lowest_draws(candidates, count)
        for architecture in chosen:
            self._known.add(architecture)
        chosen.extend(self._known.sample_new(count - len(chosen), self._generator))
        return [Proposal(architecture) for architecture in chosen]

    def tell(self, evaluations: Sequence[Evaluation]) -> None:
        """Add the successes to what the predictor learns from."""
        for evaluation in evaluations:
            architecture = evaluation.proposal.architecture
            key = self._incumbent.consider(evaluation)
            if key is not None:
                self._told.append((key, architecture))
            self._known.add(architecture)

    def recommend(self) -> Architecture:
        """Return the best architecture told so far; ValueError if there is none."""
        return self._incumbent.recommend()

    def state_dict(self) -> dict[str, Any]:
        """Return the generator, the best, what was told and what is known; a fit follows from what was told."""
        return {
            "generator": generator_state(self._generator),
            "incumbent": self._incumbent.state_dict(),
            "told": [[list(key), list(architecture.decisions)] for key, architecture in self._told],
            "known": self._known.state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take on a state that `state_dict` gave."""
        name = self._space.name
        restore_generator(self._generator, state["generator"])
        self._incumbent.load_state_dict(state["incumbent"])
        self._told = [(tuple(key), Architecture(name, tuple(decisions))) for key, decisions in state["told"]]
        self._known.restore(state["known"])

    def _candidates(self) -> list[Architecture]:
        found: dict[Architecture, Architecture] = {}
        num_mutations = -(-self._num_candidates // self._num_parents)
        for _, parent in sorted(self._told, key=lambda told: told[0]):
            for _ in range(num_mutations):
                child = mutate(self._space, parent, self._generator)
                if child not in self._known:
                    found.setdefault(self._space.canonical(child), child)
            if len(found) >= self._num_candidates:
                break
        return list(found.values())[: self._num_candidates]

    def _lowest_draws(self, candidates: list[Architecture], count: int) -> list[Architecture]:
        canonical = self._space.canonical
        # a fit is a function of the seed and of what was told, so that it need not be part of the state
        predictor = self._predictor(self._streams.child(f"fit {len(self._told)}"))
        costs = np.array([key[1] for key, _ in self._told])
        predictor.fit(self._encode([canonical(architecture) for _, architecture in self._told]), costs)
        mean, deviation = predictor.predict(self._encode([canonical(candidate) for candidate in candidates]))
        draws = self._generator.normal(mean, deviation)
        return [candidates[place] for place in np.argsort(draws, kind="stable")[:count]]
