"""Which nodes of example graphs a network's poolings kept, and which edges it learnt among them."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.reporting.blocks import Block, Figure, Paragraph, Section
from tasks.reporting.figures import pooled_graphs
from tasks.reporting.machine import Machine
from tasks.reporting.naming import network_name
from tasks.reporting.pooled_graph import PooledGraph, pooled_graph
from tasks.reporting.quantities import listed
from tasks.reporting.results import Document, Results

LEARNS_EDGES, LEARNER = "hgpsl", "HGP-SL"
MAX_NUM_GRAPHS = 4
MAX_NUM_NODES = 100
"""Of a graph that is drawn; more would be a cloud of dots."""


def section(results: Results, machine: Machine) -> Section | None:
    """Return the section; None where no network pools.

    The winner's examples are shown, or those of the first network that has any; and if no HGP-SL is among them, those
    of the first network that has it.
    """
    found = {name: graphs for name, graphs in _examples(results) if any(graph.levels for graph in graphs)}
    if not found:
        return None
    first = next(iter(found))
    learner = next((name for name, graphs in found.items() if _learns(graphs)), None)
    shown = list(dict.fromkeys([first, *([] if _learns(found[first]) or learner is None else [learner])]))
    blocks: list[Block] = [
        Paragraph(
            "Each row is one graph, first as it came in, then after each pooling, in the same places. Nodes that were "
            "dropped stay as faint circles, edges that are gone as faint lines. The drawings say what the network "
            "kept, not why, nor that its answer hangs on it."
        )
    ]
    for name in shown:
        blocks.append(_figure(results, name, found[name], machine))
    drawn = {level.pooling for name in shown for graph in found[name] for level in graph.levels}
    title = f"Which nodes {LEARNER if drawn == {LEARNS_EDGES} else 'the poolings'} kept"
    return Section("pooling", title, tuple(blocks))


def _examples(results: Results) -> list[tuple[str, list[PooledGraph]]]:
    """Return the examples of all networks that have some, the winner's first."""
    winner = "" if results.winner is None else f"rank {results.winner['rank']}"
    names = sorted(results.pooling_examples, key=lambda name: name != winner)
    return [(name, [pooled_graph(content) for content in results.pooling_examples[name]]) for name in names]


def _learns(graphs: Sequence[PooledGraph]) -> bool:
    return any(level.pooling == LEARNS_EDGES for graph in graphs for level in graph.levels)


def _figure(results: Results, name: str, graphs: Sequence[PooledGraph], machine: Machine) -> Block:
    metrics = _metrics(results, name)
    words = network_name(results, metrics)
    small = [graph for graph in graphs if 0 < graph.num_nodes <= MAX_NUM_NODES]
    chosen = [graph for graph in small if len(graph.levels) == len(small[0].levels)][:MAX_NUM_GRAPHS]
    if not chosen:
        which = f"All {len(graphs)} examples of {words} have" if len(graphs) > 1 else f"The one example of {words} has"
        text = f"{which} more than {MAX_NUM_NODES} nodes, too many to draw."
        return Paragraph(text, is_remark=True)
    columns = ["input", *(f"after block {level.block}: {level.pooling}" for level in chosen[0].levels)]
    has_learnt = any(graph.learnt(level) for graph in chosen for level in graph.levels)
    learnt = " Learnt edges are those that the input does not have." if has_learnt else " No edge was learnt."
    return Figure(
        f"pooling-{name.replace(' ', '-')}",
        pooled_graphs.draw(chosen, columns),
        f"Example graphs before and after the poolings of {words}. {' '.join(map(_words, chosen))}",
        f"{words[0].upper()}{words[1:]}, the network of seed {metrics['chosen_seed']}. Validation graphs, which chose "
        f"epochs and architectures but taught no weight: {_which(chosen, graphs)}, in their order, none picked for its "
        f"looks. A line is as wide as the larger weight of its two directions, relative to the largest of its panel; "
        f"loops are not drawn.{learnt} Machine: {machine.phrase(results.device)}.",
        is_wide=True,
    )


def _metrics(results: Results, name: str) -> Document:
    return next((each for each in results.candidates if f"rank {each['rank']}" == name), results.reference)


def _which(chosen: Sequence[PooledGraph], graphs: Sequence[PooledGraph]) -> str:
    """Return which examples are drawn, in words."""
    if len(chosen) == len(graphs):
        return f"the {len(graphs)} examples that were written down" if len(graphs) > 1 else "the one example there is"
    return f"the first {len(chosen)} with at most {MAX_NUM_NODES} nodes of {len(graphs)} examples"


def _words(graph: PooledGraph) -> str:
    """Return one graph in words."""
    levels = [
        f"{len(level.kept)} nodes with {len(level.weights)} edges, {len(graph.learnt(level))} of them learnt, after "
        f"block {level.block}"
        for level in graph.levels
    ]
    return f"A graph of {graph.num_nodes} nodes: {listed(levels)}."
