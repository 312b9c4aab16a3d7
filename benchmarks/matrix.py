"""Which strategy works with which evaluator in which space: `python -m benchmarks.matrix [--spaces NAME ...]`.

Prints the table of the README. Every strategy is built in every space with its default settings, and every evaluator is
asked by its `check`, with each of a few usual objectives; nothing is trained.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.figures import Table, as_markdown, command_line
from nas_core import catalog
from nas_core.objectives import Objective
from nas_core.randomness import Streams
from nas_core.space import SearchSpace
from nas_core.strategy import Strategy

ACCURACY = Objective("validation_accuracy", "maximize")
FLOPS = Objective("flops", "minimize", "2 x MAC")
PROXY = Objective("naswot", "maximize")
OBJECTIVES = ((ACCURACY,), (ACCURACY, FLOPS), (PROXY,), (PROXY, FLOPS))
"""What is tried, in this order; one that goes is enough."""

NUM_STEPS = 10
YES, NO = "yes", "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit code."""
    parser = command_line("matrix", (__doc__ or "").partition("\n")[0])
    parser.add_argument("--spaces", nargs="+", default=catalog.names("space"), help="names, or import paths with a dot")
    chosen = parser.parse_args(arguments)
    found = {name: obstacles(catalog.load("space", name).build()) for name in chosen.spaces}
    table = matrix(found)
    if chosen.json:
        print(json.dumps({"tables": [asdict(table)], "obstacles": found}))
        return 0
    print(as_markdown(table))
    reasons = {reason for by_evaluator in found.values() for each in by_evaluator.values() for reason in each.values()}
    for reason in sorted(reasons - {""}):
        print(f"\n- {reason}", end="")
    print()
    return 0


def obstacles(space: SearchSpace) -> dict[str, dict[str, str]]:
    """Return by strategy and evaluator why they do not go together in a space; an empty text where they do."""
    return {
        strategy: {evaluator: _obstacle(space, strategy, evaluator) for evaluator in catalog.names("evaluator")}
        for strategy in catalog.names("strategy")
    }


def matrix(found: Mapping[str, Mapping[str, Mapping[str, str]]]) -> Table:
    """Return the table of all spaces: a row for each strategy, in each cell the spaces in which it goes."""
    evaluators = catalog.names("evaluator")
    rows = []
    for strategy in catalog.names("strategy"):
        cells = [[space for space in found if not found[space][strategy][evaluator]] for evaluator in evaluators]
        rows.append((strategy, *(_spaces(cell, len(found)) for cell in cells)))
    spaces = ", ".join(found)
    return Table(f"strategies and evaluators that go together ({spaces})", ("strategy", *evaluators), tuple(rows))


def _spaces(names: Sequence[str], num_spaces: int) -> str:
    if len(names) == num_spaces:
        return YES
    return ", ".join(names) or NO


def _obstacle(space: SearchSpace, strategy: str, evaluator: str) -> str:
    """Return why a strategy and an evaluator do not go together, by the first objectives; empty if they do."""
    reasons = []
    for objectives in OBJECTIVES:
        try:
            built = _built(space, strategy, objectives)
            catalog.load("evaluator", evaluator).check(space, built, objectives)
        except ValueError as error:
            reasons.append(str(error))
        else:
            return ""
    return reasons[0]


def _built(space: SearchSpace, name: str, objectives: Sequence[Objective]) -> Strategy:
    supplied: dict[str, Any] = {}
    if "num_steps" in catalog.supplied("strategy", name):
        supplied["num_steps"] = NUM_STEPS
    if "screen" in catalog.supplied("strategy", name):
        supplied["screen"] = None  # it is asked nothing here
    built: Strategy = catalog.load("strategy", name).build(space, objectives, Streams(0), **supplied)
    return built


if __name__ == "__main__":
    sys.exit(main())
