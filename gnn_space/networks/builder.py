"""Builds the body of stand-alone networks and supernets out of the options that there are."""

from __future__ import annotations

from torch import nn

from gnn_space.networks.ascent import NodeViews
from gnn_space.networks.body import Body
from gnn_space.networks.combination import Combination
from gnn_space.networks.descent import Descent
from gnn_space.networks.head import Head
from gnn_space.networks.readouts import ReadoutViews
from gnn_space.networks.selection import Options
from gnn_space.networks.vocabulary import NUM_BLOCKS, Sizes
from nas_core.task import TaskShape


def graph_body(task: TaskShape, options: Options, sizes: Sizes) -> Body:
    """Return the body of classifiers of graphs: each block hands over a readout of 2 width channels.

    Args:
        task: with inputs (features of a node,) and outputs (classes,).
        options: for each choice those that get modules.
        sizes: of the network.

    Raises:
        ValueError: the task has another shape.
    """
    views = ReadoutViews(_num_blocks(options), options, sizes.width)
    return _body(task, options, sizes, views, 2 * sizes.width)


def node_body(task: TaskShape, options: Options, sizes: Sizes) -> Body:
    """Return the body of classifiers of nodes: each block hands over width channels a node; see `graph_body`."""
    return _body(task, options, sizes, NodeViews(_num_blocks(options), options, sizes.width), sizes.width)


def _body(task: TaskShape, options: Options, sizes: Sizes, views: nn.Module, channels: int) -> Body:
    if len(task.inputs) != 1 or len(task.outputs) != 1:
        raise ValueError(
            f"{task} is no classification of graphs or nodes; give inputs (features,) and outputs (classes,)"
        )
    num_blocks = _num_blocks(options)
    return Body(
        Descent(num_blocks, options, task.inputs[0], sizes),
        views,
        Combination(num_blocks, options, channels),
        Head(options, channels, sizes.width, task.outputs[0]),
    )


def _num_blocks(options: Options) -> int:
    return max(int(option) for option in options[NUM_BLOCKS])
