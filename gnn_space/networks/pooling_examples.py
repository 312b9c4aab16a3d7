"""What the poolings of a network keep of some graphs, as plain data for a report."""

from __future__ import annotations

import torch
from torch import Tensor

from gnn_space.graph_batch import GraphBatch
from gnn_space.networks.descent import BlockOutput, Descent
from gnn_space.networks.selection import Selection
from gnn_space.networks.vocabulary import NO_POOLING, NUM_BLOCKS, BlockNames


def pooling_examples(descent: Descent, selection: Selection, graphs: GraphBatch, count: int) -> list[dict[str, object]]:
    """Return one dict a graph, of the first `count` graphs, with nodes numbered from 0 in each graph as it came in.

    ``{"num_nodes": n, "edges": [[i, j], ...], "levels": [{"block": number, "pooling": name, "kept": [i, ...],
    "edges": [[i, j, weight], ...]}, ...]}`` with a level for each block that has a pooling. Edges without a weight are
    listed once, from the lower node; those of a level as (source, target), since learnt weights have a direction.

    Args:
        descent: the blocks; run in the mode they are in, without gradients.
        selection: of one option a choice.
        graphs: a batch, on the blocks' device.
        count: at most this many graphs.
    """
    with torch.no_grad():
        levels: list[BlockOutput] = descent(graphs, int(selection[NUM_BLOCKS][0].option), selection)
    starts = (graphs.sizes.cumsum(0) - graphs.sizes).tolist()
    examples: list[dict[str, object]] = []
    for graph, start in list(enumerate(starts))[: max(0, count)]:
        source, target = _edges_of(graphs, graph) - start
        pairs = {(min(pair), max(pair)) for pair in zip(source.tolist(), target.tolist(), strict=True)}
        examples.append(
            {
                "num_nodes": int(graphs.sizes[graph]),
                "edges": [list(pair) for pair in sorted(pairs)],
                "levels": _levels_of(levels, selection, graph, start),
            }
        )
    return examples


def _levels_of(levels: list[BlockOutput], selection: Selection, graph: int, start: int) -> list[dict[str, object]]:
    """Return the levels of one graph, whose first node has the number `start` in the batch."""
    found: list[dict[str, object]] = []
    origin: Tensor | None = None
    for block, level in enumerate(levels, start=1):
        pooling = selection[BlockNames(block).pooling][0].option
        kept = level.after.kept
        if pooling == NO_POOLING or kept is None:
            continue
        origin = kept if origin is None else origin[kept]
        left = level.after.graphs
        inside = left.batch[left.edge_index[0]] == graph
        if left.edge_weight is not None:
            inside = inside & (left.edge_weight > 0)
        source, target = (origin[left.edge_index[:, inside]] - start).tolist()
        weights = [1.0] * len(source) if left.edge_weight is None else left.edge_weight[inside].tolist()
        found.append(
            {
                "block": block,
                "pooling": pooling,
                "kept": (origin[left.batch == graph] - start).tolist(),
                "edges": [list(edge) for edge in zip(source, target, weights, strict=True)],
            }
        )
    return found


def _edges_of(graphs: GraphBatch, graph: int) -> Tensor:
    return graphs.edge_index[:, graphs.batch[graphs.edge_index[0]] == graph]
