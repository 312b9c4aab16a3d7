"""Hyperband: successive halving of random architectures, in brackets that start on different rungs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge

from nas_core.bracket_search import BracketSearch, UniformStarts
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.rungs import geometric_rungs
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy


def build(
    space: SearchSpace,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    min_epochs: Annotated[int, Ge(1)] = 1,
    max_epochs: Annotated[int, Ge(1)] = 12,
    reduction_factor: Annotated[int, Ge(2)] = 3,
) -> Strategy:
    """Return Hyperband (Li et al. 2018, arXiv:1603.06560), its brackets repeated until the budget is used up.

    The first bracket starts many architectures on the lowest rung, the last a few on the highest; what starts is
    sampled uniformly. Sizes are those of `nas_core.successive_halving.bracket_sizes`: 9-3-1, 3-1 and 3 with three rungs
    and a factor of 3. Each proposal names its fidelity, so the evaluator's own number of epochs plays no part.

    Follows the paper, in its table's reading, where a round asks for no more than a rung has left; a larger round
    begins the next bracket early. What else the paper leaves open: see `nas_core.bracket_search.BracketSearch`.

    Args:
        space: what is searched.
        objectives: at least one; the first decides what is promoted, the others break ties.
        streams: source of randomness.
        min_epochs: training length below which there is no rung.
        max_epochs: training length of the highest rung; the rungs below have this divided by the factor once, twice...
        reduction_factor: one of so many goes on from rung to rung.

    Raises:
        ValueError: if min_epochs is above max_epochs.
    """
    rungs = geometric_rungs(min_epochs, max_epochs, reduction_factor)
    return BracketSearch(space, objectives, UniformStarts(streams.numpy("hyperband")), rungs, reduction_factor)
