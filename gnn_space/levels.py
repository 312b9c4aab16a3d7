"""What the networks of the graph space classify: graphs, or nodes of a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gnn_space import designs
from gnn_space.networks.vocabulary import NO_POOLING, POOLINGS, Sizes
from nas_core.task import TaskShape

if TYPE_CHECKING:
    from gnn_space.networks.body import Body
    from gnn_space.networks.selection import Options

MERGING_POOLING = "edge"
"""The pooling that makes one node of two, from which there is no way back to the nodes."""


@dataclass(frozen=True)
class Level:
    """What distinguishes the two kinds of networks; equal levels have equal names.

    Attributes:
        name: that users type.
        inputs: what networks take, as learning tasks call it.
        poolings: that networks may have.
        default_poolings: those that they have unless told otherwise.
        has_readouts: whether each block has a readout of its nodes.
        reference: the hand-designed network to compare with.
        baselines: further ones by name.
        body: makes a network out of the options that it has modules for.
    """

    name: str
    inputs: str = field(compare=False)
    poolings: tuple[str, ...] = field(compare=False)
    default_poolings: tuple[str, ...] = field(compare=False)
    has_readouts: bool = field(compare=False)
    reference: designs.Design = field(compare=False)
    baselines: Mapping[str, designs.Design] = field(compare=False)
    body: Callable[[TaskShape, Options, Sizes], Body] = field(compare=False)


def _graph_body(task: TaskShape, options: Options, sizes: Sizes) -> Body:
    from gnn_space.networks.builder import graph_body

    return graph_body(task, options, sizes)


def _node_body(task: TaskShape, options: Options, sizes: Sizes) -> Body:
    from gnn_space.networks.builder import node_body

    return node_body(task, options, sizes)


GRAPH = Level(
    "graph",
    inputs="graphs",
    poolings=POOLINGS,
    default_poolings=POOLINGS,
    has_readouts=True,
    reference=designs.HGP_SL,
    baselines={"gcn": designs.GCN_OF_GRAPHS, "topk": designs.TOPK, "gin": designs.GIN},
    body=_graph_body,
)
NODE = Level(
    "node",
    inputs="nodes",
    poolings=tuple(name for name in POOLINGS if name != MERGING_POOLING),
    default_poolings=(NO_POOLING, "topk"),
    has_readouts=False,
    reference=designs.GCN_OF_NODES,
    baselines={"gat": designs.GAT_OF_NODES},
    body=_node_body,
)
