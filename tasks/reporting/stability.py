"""How steadily the networks answer when edges come and go: the part of the page on stability."""

from __future__ import annotations

from typing import Any

from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Table
from tasks.reporting.figures import stability_lines
from tasks.reporting.figures.stability_lines import StabilityLine
from tasks.reporting.machine import Machine
from tasks.reporting.naming import is_winner, network_name
from tasks.reporting.palette import line_style
from tasks.reporting.quantities import percent_spread, plain_spread, readable, seeds_phrase
from tasks.reporting.results import Document, Results


def blocks(results: Results, machine: Machine) -> list[Block]:
    """Return a figure a shift, and tables; nothing where no shift changes edges."""
    networks = [each for each in results.robustness["networks"] if each.get("stability") is not None]
    if not networks:
        return []
    names = list(networks[0]["stability"]["shifts"])
    text = (
        "Stability: a network whose filters vary slowly is promised to change its outputs by no more than a constant "
        "times the size of what changes the edges. Size: relative change of the normalized adjacency in Frobenius' "
        f"norm, mean over test {results.examples.plural}; outputs: relative change of the logits less their mean over "
        "the classes. The constant is the slope through the origin: less is steadier."
    )
    return [
        Paragraph(text),
        FigureGroup(
            tuple(_figure(results, networks, name) for name in names),
            f"Mean and standard deviation over {seeds_phrase(results.reference['seeds'])}; "
            f"{results.robustness['num_test']} test {results.examples.plural}. "
            f"Machine: {machine.phrase(results.device)}.",
        ),
        _constants(results, networks, names),
        _points(results, networks, names),
    ]


def _figure(results: Results, networks: list[Document], name: str) -> Figure:
    lines = []
    for index, each in enumerate(networks):
        points = list(each["stability"]["shifts"][name]["severities"].values())
        changes = [point["output_change"] for point in points]
        lines.append(
            StabilityLine(
                network_name(results, each),
                line_style(index),
                [point["perturbation_size"] for point in points],
                [change["mean"] for change in changes],
                [change["standard_deviation"] if len(change["values"]) > 1 else 0.0 for change in changes],
            )
        )
    last = max(lines, key=lambda line: line.changes[-1])
    return Figure(
        f"stability-{name.replace('_', '-')}",
        stability_lines.draw(lines, readable(name).capitalize()),
        f"Lines of the change of the outputs over the size of the perturbation for {len(lines)} networks; at "
        f"{lines[0].sizes[-1]:.2f} that of {last.name} is the largest, {last.changes[-1]:.2f}.",
        f"{readable(name).capitalize()}: a point a severity.",
    )


def _constants(results: Results, networks: list[Document], names: list[str]) -> Table:
    rows = []
    for each in networks:
        found = each["stability"]
        slopes = (found["constant"], *(found["shifts"][name]["constant"] for name in names))
        rows.append((network_name(results, each), *(plain_spread(slope, 2) for slope in slopes)))
    return Table(
        f"Stability constants, mean and standard deviation over {seeds_phrase(results.reference['seeds'])}.",
        ("network", "all", *(readable(name) for name in names)),
        tuple(rows),
        emphasized=frozenset(index for index, each in enumerate(networks) if is_winner(results, each)),
    )


def _points(results: Results, networks: list[Document], names: list[str]) -> Table:
    """Return a row a shift and severity, for the winner and the reference, or the reference alone."""
    shown = [each for each in networks if is_winner(results, each) or each["name"] == "reference"]
    rows = []
    for name in names:
        for severity, point in networks[0]["stability"]["shifts"][name]["severities"].items():
            cells = [cell for each in shown for cell in _cells(each, name, severity)]
            rows.append((readable(name), severity, f"{point['perturbation_size']:.3f}", *cells))
    columns = [f"{network_name(results, each)}: {what}" for each in shown for what in ("output change", "accuracy")]
    return Table(
        "What each severity does to the edges, the outputs and the accuracy on test.",
        ("noise", "severity", "size", *columns),
        tuple(rows),
    )


def _cells(network: Document, name: str, severity: str) -> tuple[str, str]:
    change = network["stability"]["shifts"][name]["severities"][severity]["output_change"]
    error: dict[str, Any] = network["corruptions"][name]["error"][severity]
    accuracy = {**error, "mean": 1 - error["mean"]}
    return plain_spread(change, 3), percent_spread(accuracy)
