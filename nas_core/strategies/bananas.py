"""BANANAS: Bayesian optimization with an ensemble of networks on the path encoding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.typing import NDArray

from nas_core.acquisition import thompson_sampling
from nas_core.architecture import Architecture
from nas_core.encodings import one_hot, paths
from nas_core.objectives import Objective
from nas_core.predictor_guided_search import PredictorGuidedSearch
from nas_core.predictors import mlp_ensemble
from nas_core.randomness import Streams
from nas_core.space import HasPathEncoding, SearchSpace
from nas_core.strategy import Strategy

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
    """Return BANANAS (White et al. 2021, arXiv:1910.11858), by default as published, with ten proposals a round.

    Neural predictor, mutations of the best as candidates, independent Thompson sampling: after `num_initial` random
    architectures, the ensemble is fitted to everything told, the best architectures are mutated in one choice each, a
    cost ~ N(mean, standard deviation) is drawn for every mutation, and those with the lowest draws are proposed.

    Follows the authors' code in leaving out what was proposed before (compared by canonical form), and in passing to
    the next best parent where a neighborhood is used up. Differs: not five parents but all that were told may be
    passed to, and what is still missing then is filled up by random architectures; canonical forms are encoded, so
    that two names of one network have the same features.

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
    return PredictorGuidedSearch(
        space,
        objectives,
        streams.child("bananas"),
        encode,
        predictor,
        thompson_sampling,
        num_initial=num_initial,
        num_mutations=num_candidates,
        num_parents=num_parents,
        num_samples=0,
    )
