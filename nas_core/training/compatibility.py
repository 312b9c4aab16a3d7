"""Whether a search and an evaluator that knows no weight sharing go together, asked before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core import catalog
from nas_core.objectives import Objective
from nas_core.space import HasBenchmarkNames, SearchSpace
from nas_core.strategy import Strategy
from nas_core.training.scores import TRAINED
from nas_core.weight_sharing.learns import Learns


def check_search(evaluator: str, strategy: Strategy, objectives: Sequence[Objective], *, trains: bool) -> None:
    """Raise a ValueError if the evaluator cannot serve the strategy or give the objectives.

    Args:
        evaluator: its name, for the message.
        strategy: must not learn with shared weights, which this evaluator does not have.
        objectives: proxies by name and, if the evaluator trains, those in `TRAINED`.
        trains: whether the evaluator trains its candidates.
    """
    if isinstance(strategy, Learns):
        raise ValueError(
            f"evaluator {evaluator!r} has no shared weights for a strategy that learns; use evaluator shared_weights"
        )
    for objective in objectives:
        if objective.name not in TRAINED:
            catalog.load("proxy", objective.name)
        elif not trains:
            raise ValueError(
                f"evaluator {evaluator!r} trains nothing and has no {objective.name!r}; ask for proxies "
                f"({', '.join(catalog.names('proxy'))}) or use evaluator low_fidelity"
            )


def check_tabulated(evaluator: str, space: SearchSpace, strategy: Strategy) -> None:
    """Raise a ValueError if the space is in no benchmark, or the strategy learns, for which a table has no weights.

    Args:
        evaluator: its name, for the message.
        space: what is searched.
        strategy: what searches it.
    """
    if not isinstance(space, HasBenchmarkNames):
        raise ValueError(f"space {space.name!r} is in no benchmark; use another space, or evaluator low_fidelity")
    if isinstance(strategy, Learns):
        raise ValueError(f"evaluator {evaluator!r} has no shared weights to learn with; use evaluator shared_weights")
