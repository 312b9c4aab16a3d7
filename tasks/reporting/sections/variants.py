"""What the pooling adds: a network beside the same without it, with another in its place, and baselines of its size."""

from __future__ import annotations

from collections.abc import Sequence

from nas_core.robustness.intervals import Interval
from tasks.reporting.blocks import Block, Paragraph, Section, Table
from tasks.reporting.comparison import Comparison, Verdict, between, test_values
from tasks.reporting.machine import Machine
from tasks.reporting.naming import is_winner, network_name
from tasks.reporting.quantities import (
    ABSENT,
    count,
    listed,
    percent_spread,
    points,
    points_interval,
    readable,
    seeds_phrase,
)
from tasks.reporting.results import Document, Results


def section(results: Results, machine: Machine) -> Section | None:
    """Return the section, the winner first; None where no network was trained beside its variants."""
    compared = [each for each in results.candidates if each.get("variants")]
    if not compared:
        return None
    blocks: list[Block] = []
    for metrics in sorted(compared, key=lambda each: not is_winner(results, each)):
        blocks += _blocks(results, metrics, machine)
    return Section("variants", "What the pooling adds", tuple(blocks))


def _blocks(results: Results, metrics: Document, machine: Machine) -> list[Block]:
    name = network_name(results, metrics)
    same = [readable(other) for other, variant in metrics["variants"].items() if _is_itself(metrics, variant)]
    found = {
        other: Comparison(readable(other), readable(other), *_difference(metrics, variant), 1 / results.num_test)
        for other, variant in metrics["variants"].items()
        if not _is_itself(metrics, variant)
    }
    blocks: list[Block] = []
    if found:
        blocks.append(Paragraph(_summary(name, [each.verdict for each in found.values()])))
    if same:
        text = f"{name.capitalize()} is itself the network {listed(same)}, so that there is nothing to compare."
        blocks.append(Paragraph(text, is_remark=True))
    rows = [(*_measures(name, metrics), ABSENT, ABSENT, ABSENT)]
    for other, variant in metrics["variants"].items():
        rows.append((*_measures(readable(other), variant), *_verdict(found.get(other))))
    table = Table(
        f"Trained alike, mean and standard deviation over {seeds_phrase(metrics['seeds'])}. Difference: test accuracy "
        f"of {name} less this one's, in percentage points, with Welch's interval over runs; none is corrected for "
        f"there being several. A baseline of equal size is as wide as it takes to have as many parameters. "
        f"{results.num_test} test {results.examples.plural}. Machine: {machine.phrase(results.device)}.",
        ("network", "parameters", "validation accuracy", "test accuracy", "difference", "95 % interval", "verdict"),
        tuple(rows),
        emphasized=frozenset([0]),
    )
    return [*blocks, table]


def _summary(name: str, verdicts: Sequence[Verdict]) -> str:
    """Return how many verdicts there are of each kind, in a sentence."""
    counted = [f"{number} times {verdict.value}" for verdict in Verdict if (number := verdicts.count(verdict))]
    return f"Compared on test with {len(verdicts)} others that were trained alike, {name} is {listed(counted)}."


def _is_itself(metrics: Document, variant: Document) -> bool:
    """Return whether a variant has nothing to vary; a baseline of the same form has another width."""
    same_form = variant["canonical"] == metrics["canonical"]
    return bool(same_form and variant["num_parameters"] == metrics["num_parameters"])


def _difference(metrics: Document, variant: Document) -> tuple[float, Interval | None]:
    return between(test_values(metrics), test_values(variant))


def _measures(name: str, metrics: Document) -> tuple[str, str, str, str]:
    validation, test = percent_spread(metrics["validation_accuracy"]), percent_spread(metrics["test_accuracy"])
    return name, count(metrics["num_parameters"]), validation, test


def _verdict(comparison: Comparison | None) -> tuple[str, str, str]:
    if comparison is None:
        return ABSENT, ABSENT, "itself"
    interval = "too few runs" if comparison.interval is None else points_interval(comparison.interval)
    return points(comparison.difference), interval, comparison.verdict.value
