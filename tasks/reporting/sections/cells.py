"""The found networks as drawings of their cells or blocks, and as tables of choices."""

from __future__ import annotations

from itertools import groupby

from nas_core.architecture import Architecture, active
from tasks.candidate import official_name
from tasks.reporting.block_network import block_network
from tasks.reporting.blocks import Block, Figure, FigureGroup, Paragraph, Section, Table
from tasks.reporting.figures import block_diagram, cell_graph
from tasks.reporting.machine import Machine
from tasks.reporting.naming import network_name
from tasks.reporting.quantities import readable, seeds_phrase
from tasks.reporting.results import Document, Results


def section(results: Results, machine: Machine) -> Section:
    """Return the section."""
    shown = [*results.candidates, results.reference]
    names = [network_name(results, each) for each in shown]
    named = list(zip(shown, names, strict=True))
    seeds, training = results.selection["seeds"], results.reference["seeds"]
    caption = (
        f"Chosen on validation, {seeds_phrase(seeds)}, and trained with {seeds_phrase(training)}. "
        f"Machine: {machine.phrase(results.device)}."
    )
    blocks: list[Block] = []
    if drawings := [figure for each, name in named for figure in _cells(results, each, name)]:
        text = (
            "Nodes are sums of what enters them. Edges without an operation are not drawn; grey dashed ones lie on no "
            "path from input to output and change nothing."
        )
        blocks += [Paragraph(text), FigureGroup(tuple(drawings), caption, is_compact=True)]
    elif diagrams := [figure for each, name in named for figure in _diagrams(results, each, name)]:
        text = (
            "Data flow along the arrows, through one block after another. A narrowing is a pooling: its right side is "
            "as much lower as it keeps fewer nodes, with the edges that it learns below it. What a block hands down "
            f"is joined in front of the head. A width with a cross is a share of the network's. {caption}"
        )
        blocks += [Paragraph(text), *diagrams]
    else:
        text = f"The space {results.space.name} has no cells that can be drawn; its choices are in the table."
        blocks.append(Paragraph(text, is_remark=True))
    blocks.append(_table(results, shown, names))
    return Section("cells", "The networks", tuple(blocks))


def _cells(results: Results, metrics: Document, name: str) -> list[Figure]:
    """Return a drawing for each group of choices; none if one of them is no cell."""
    choices = results.space.choices
    architecture = Architecture.from_key(metrics["architecture"])
    if len(choices) != len(architecture.decisions):
        return []
    pairs = list(zip(choices, architecture.decisions, strict=True))
    groups = [(group, list(members)) for group, members in groupby(pairs, key=lambda pair: pair[0].group)]
    figures = []
    for group, members in groups:
        edges = cell_graph.cell_edges([choice for choice, _ in members], [decision for _, decision in members])
        if edges is None:
            return []
        title = name if len(groups) == 1 else f"{name}, {readable(group)}"
        words = ", ".join(f"{edge.source} to {edge.target} {readable(edge.operation)}" for edge in edges)
        figures.append(
            Figure(
                f"cell-{_file_name(title)}",
                cell_graph.draw(edges, title[0].upper() + title[1:]),
                f"Cell of {title}. Edges: {words}.",
                official_name(results.space, architecture) or architecture.key,
            )
        )
    return figures


def _diagrams(results: Results, metrics: Document, name: str) -> list[Figure]:
    """Return a drawing of the network's blocks; none if its choices make no blocks."""
    architecture = Architecture.from_key(metrics["architecture"])
    if len(results.space.choices) != len(architecture.decisions):
        return []
    network = block_network(results.space.choices, architecture.decisions)
    if network is None:
        return []
    return [
        Figure(
            f"network-{_file_name(name)}",
            block_diagram.draw(network, name[0].upper() + name[1:]),
            f"Block diagram of {name}. {network.words[0].upper()}{network.words[1:]}.",
            official_name(results.space, architecture) or architecture.key,
            is_wide=True,
        )
    ]


def _file_name(title: str) -> str:
    return title.partition(" (")[0].replace(", ", "-").replace(" ", "-")


def _table(results: Results, shown: list[Document], names: list[str]) -> Table:
    """Return what each network decides; choices that matter to none of them are left out."""
    choices = results.space.choices
    columns = []
    mattering: set[int] = set()
    for metrics in shown:
        decisions = Architecture.from_key(metrics["architecture"]).decisions
        if len(decisions) != len(choices):
            columns.append(["not of this space"] * len(choices))
            continue
        matters = active(choices, decisions)
        mattering |= {index for index, active_here in enumerate(matters) if active_here}
        columns.append(
            [
                readable(choice.options[decision]) if active_here else "does not matter"
                for choice, decision, active_here in zip(choices, decisions, matters, strict=True)
            ]
        )
    rows = [
        (f"{choice.group} {choice.name}".strip(), *(column[index] for column in columns))
        for index, choice in enumerate(choices)
        if index in mattering
    ]
    num_omitted = len(choices) - len(rows)
    omitted = f" {num_omitted} that matter to none of these networks are left out." if num_omitted else ""
    return Table(
        f"The {len(choices)} choices of the space {results.space.name}, and what each network decides.{omitted}",
        ("choice", *names),
        tuple(rows),
        num_text_columns=1 + len(names),
    )
