"""Any predictor, on any encoding, choosing among mutations of the best and random architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from nas_core import catalog, nested_settings
from nas_core.acquisition import (
    Acquisition,
    confidence_bound,
    expected_improvement,
    predicted_mean,
    thompson_sampling,
)
from nas_core.architecture import Architecture
from nas_core.encodings import adjacency, graphs, one_hot, paths, tensors
from nas_core.objectives import Objective
from nas_core.predictor_guided_search import PredictorGuidedSearch
from nas_core.randomness import Streams
from nas_core.space import HasCellGraph, HasFeatureTensor, HasPathEncoding, SearchSpace
from nas_core.strategy import Strategy

Array = NDArray[np.float64]
Encode = Callable[[Sequence[Architecture]], Array]

STRUCTURED = ("tensor", "graph")
"""Encodings that are no vectors; a predictor takes one of them, or vectors."""


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    predictor: str = "gradient_boosted_trees",
    predictor_settings: Mapping[str, bool | int | float | str] | None = None,
    encoding: Literal["one_hot", "path", "adjacency", "tensor", "graph"] = "one_hot",
    num_paths: Annotated[int, Ge(1)] | None = None,
    acquisition: Literal[
        "mean", "upper_confidence_bound", "expected_improvement", "thompson_sampling"
    ] = "expected_improvement",
    exploration: Annotated[float, Ge(0)] = 0.5,
    num_initial: Annotated[int, Ge(2)] = 10,
    num_mutations: Annotated[int, Ge(0)] = 100,
    num_parents: Annotated[int, Ge(1)] = 1,
    num_samples: Annotated[int, Ge(0)] = 100,
) -> Strategy:
    """Return a search that a predictor guides, composed of parts by name (as compared in White et al. 2021).

    Follows White et al. 2021 (BANANAS, arXiv:1910.11858) in the order of steps, of which `bananas` is the published
    choice of parts.

    Args:
        space: what is searched.
        objectives: at least one. The first alone is predicted; the order of the parents and what is recommended
            follow all of them, and the limits.
        streams: source of randomness.
        predictor: name of a module in `nas_core.predictors`, or an import path with a dot.
        predictor_settings: settings of its own; None for its defaults.
        encoding: what it sees: options one-hot, or the space's paths, adjacency with operations, feature tensors or
            cell graphs where it has them.
        num_paths: bits of the path encoding to keep, the shortest paths first; None keeps all.
        acquisition: which candidates come first. Of costs: the lowest mean, the lowest mean - exploration * deviation,
            the greatest expected improvement on the best told, or the lowest of draws ~ N(mean, deviation).
        exploration: factor of the deviation in the confidence bound.
        num_initial: successes that are awaited, by random proposals, before the first fit.
        num_mutations: candidates that are mutations.
        num_parents: best architectures among which the mutations are divided.
        num_samples: uniform samples among which further candidates are.

    Raises:
        ValueError: if there is no such predictor or setting of it, the space or the predictor does not go with the
            encoding, paths are to be counted in another encoding, or there would be no candidates.
    """
    values = dict(predictor_settings or {})
    nested_settings.check("predictor", predictor, values)
    module = catalog.load("predictor", predictor)
    takes = getattr(module, "ENCODING", None)
    if takes != (encoding if encoding in STRUCTURED else None):
        needed = "vectors; set it to one_hot, path or adjacency"
        if takes is not None:
            needed = f"{'feature tensors' if takes == 'tensor' else 'cell graphs'}; set it to {takes}"
        raise ValueError(f"encoding is {encoding!r}, but predictor {predictor!r} takes {needed}")
    if num_mutations + num_samples == 0:
        raise ValueError("num_mutations and num_samples are 0, so that there are no candidates; raise one of them")
    acquisitions: Mapping[str, Acquisition] = {
        "mean": predicted_mean,
        "upper_confidence_bound": confidence_bound(exploration),
        "expected_improvement": expected_improvement,
        "thompson_sampling": thompson_sampling,
    }
    return PredictorGuidedSearch(
        space,
        objectives,
        streams.child("predictor_guided"),
        _encoder(space, encoding, num_paths),
        partial(module.build, **values),
        acquisitions[acquisition],
        num_initial=num_initial,
        num_mutations=num_mutations,
        num_parents=num_parents,
        num_samples=num_samples,
    )


def _encoder(space: SearchSpace, encoding: str, num_paths: int | None) -> Encode:
    if num_paths is not None and encoding != "path":
        raise ValueError(f"num_paths is {num_paths}, but the encoding is {encoding!r}; leave it out, or encode by path")
    match encoding:
        case "path" if isinstance(space, HasPathEncoding):
            return partial(paths, space, num_paths=num_paths)
        case "tensor" if isinstance(space, HasFeatureTensor):
            return partial(tensors, space)
        case "adjacency" if isinstance(space, HasCellGraph):
            return partial(adjacency, space)
        case "graph" if isinstance(space, HasCellGraph):
            return partial(graphs, space)
        case "one_hot":
            return partial(one_hot, space.choices)
        case _:
            raise ValueError(f"encoding is {encoding!r}, which space {space.name} has not; use one_hot")
