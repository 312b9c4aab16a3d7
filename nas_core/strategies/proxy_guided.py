"""A predictor that sees cheap scores beside an architecture's options, choosing among mutations of the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

from annotated_types import Ge

from nas_core import catalog, nested_settings
from nas_core.acquisition import expected_improvement
from nas_core.architecture import Architecture
from nas_core.encodings import Array, one_hot_with_scores
from nas_core.objectives import Objective
from nas_core.predictor_guided_search import PredictorGuidedSearch
from nas_core.randomness import Streams
from nas_core.screen import Screen
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    screen: Screen,
    predictor: str = "gradient_boosted_trees",
    predictor_settings: Mapping[str, bool | int | float | str] | None = None,
    num_initial: Annotated[int, Ge(2)] = 10,
    num_mutations: Annotated[int, Ge(1)] = 100,
    num_parents: Annotated[int, Ge(1)] = 1,
    num_samples: Annotated[int, Ge(0)] = 100,
) -> Strategy:
    """Return a search guided by a predictor that sees options and zero-cost scores (as in White et al. 2021).

    White et al. 2021 (arXiv:2104.01177) find that scores that cost nothing and a model of the architecture say more
    together than each alone. Differs from their OMNI predictor, which has learning curves besides and chooses NGBoost:
    any predictor of vectors goes here. The search is that of `predictor_guided` with the greatest expected improvement.

    Args:
        space: what is searched.
        objectives: at least one. The first alone is predicted; the order of the parents and what is recommended
            follow all of them, and the limits.
        streams: source of randomness.
        screen: gives the cheap scores, a feature each; it scores every candidate of a round.
        predictor: name of a module in `nas_core.predictors` that takes vectors, or an import path with a dot.
        predictor_settings: settings of its own; None for its defaults.
        num_initial: successes that are awaited, by random proposals, before the first fit.
        num_mutations: candidates that are mutations.
        num_parents: best architectures among which the mutations are divided.
        num_samples: uniform samples among which further candidates are.

    Raises:
        ValueError: if there is no such predictor or setting of it, or it takes no vectors.
    """
    values = dict(predictor_settings or {})
    nested_settings.check("predictor", predictor, values)
    module = catalog.load("predictor", predictor)
    if getattr(module, "ENCODING", None) is not None:
        raise ValueError(f"predictor {predictor!r} takes no vectors; use one that does, as gradient_boosted_trees")
    encode: Callable[[Sequence[Architecture]], Array] = partial(one_hot_with_scores, space.choices, screen)
    return PredictorGuidedSearch(
        space,
        objectives,
        streams.child("proxy_guided"),
        encode,
        partial(module.build, **values),
        expected_improvement,
        num_initial=num_initial,
        num_mutations=num_mutations,
        num_parents=num_parents,
        num_samples=num_samples,
    )
