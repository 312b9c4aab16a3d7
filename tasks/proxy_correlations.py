"""What the scores of a study of proxies say: rank correlations with accuracy, costs and each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nas_core.randomness import Streams
from tasks.rank_agreement import agreement, spearman, with_failures_last

ACCURACY = "accuracy"
REFERENCES = (ACCURACY, "latency_ms", "energy_mj")
"""What every proxy is compared with, where it was measured."""


@dataclass(frozen=True)
class Measure:
    """One number of every network.

    Attributes:
        name: accuracy, or of a proxy.
        goal: which direction is better.
        unit: of the values.
        values: one a network; None where it failed.
        seconds: that one took, the median; with the making of the network and the drawing of the minibatch.
    """

    name: str
    goal: Literal["maximize", "minimize"]
    unit: str
    values: tuple[float | None, ...]
    seconds: float

    @property
    def num_failures(self) -> int:
        """How many failed."""
        return sum(value is None for value in self.values)


def correlated(measures: Sequence[Measure], num_resamples: int, streams: Streams) -> dict[str, Any]:
    """Return the correlations of all measures as values for JSON: with references, and between each other.

    Correlations are of the scores as they are: one that is to be small goes with accuracy by a number below 0. Networks
    without an accuracy are left out where accuracy is one side; elsewhere, failures rank last.

    Args:
        measures: accuracy first, then those of proxies.
        num_resamples: of the bootstrap.
        streams: of the resamples, which are the same ones for all pairs.
    """
    by_name = {measure.name: measure for measure in measures}
    entries = []
    for measure in measures:
        compared = {
            name: asdict(agreement(*_pair(by_name[name], measure), num_resamples, streams.numpy("bootstrap")))
            for name in REFERENCES
            if name in by_name and name != measure.name
        }
        entries.append(
            {
                "name": measure.name,
                "goal": measure.goal,
                "unit": measure.unit,
                "num_failures": measure.num_failures,
                "seconds": measure.seconds,
                "with": compared,
            }
        )
    between = [[spearman(*_pair(first, second)) for second in measures] for first in measures]
    return {"measures": entries, "between": {"names": list(by_name), "spearman": between}}


def table(document: Mapping[str, Any]) -> str:
    """Return a Markdown table of a study's document: a row a proxy, the closest to accuracy first."""
    references = [name for name in REFERENCES if any(name in entry["with"] for entry in document["measures"])]
    header = ["proxy"]
    for name in references:
        header += [f"Spearman with {name} [95 %]", "Kendall [95 %]"] if name == ACCURACY else [f"Spearman with {name}"]
    header += ["failures", "seconds a score"]
    lines = [header, ["---"] * len(header)]
    for entry in sorted(document["measures"], key=_closeness):
        if entry["name"] == ACCURACY:
            continue
        row = [entry["name"]]
        for name in references:
            found = entry["with"].get(name)
            kinds = ("spearman", "kendall") if name == ACCURACY else ("spearman",)
            row += [_shown(found[kind]) if found else "" for kind in kinds]
        lines.append([*row, str(entry["num_failures"]), f"{entry['seconds']:.3g}"])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _pair(first: Measure, second: Measure) -> tuple[Any, Any]:
    """Return the values of two measures, failures last; without the networks that have no accuracy, if that is one."""
    known = [
        place
        for place in range(len(first.values))
        if all(each.name != ACCURACY or each.values[place] is not None for each in (first, second))
    ]
    left, right = (with_failures_last([each.values[place] for place in known], each.goal) for each in (first, second))
    return left, right


def _closeness(entry: Mapping[str, Any]) -> float:
    found = entry["with"].get(ACCURACY)
    return 0.0 if found is None or found["spearman"]["estimate"] is None else -abs(found["spearman"]["estimate"])


def _shown(correlation: Mapping[str, float | None]) -> str:
    if correlation["estimate"] is None:
        return "undefined"
    return f"{correlation['estimate']:.3f} [{correlation['low']:.3f}, {correlation['high']:.3f}]"
