"""Plug-ins with settings that keep them small, for the contract suites that find them by listing folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tiny_graphs
import torch
import toy_space

from nas_core import catalog
from nas_core.space import SearchSpace
from nas_core.task import TaskShape

SMALL = {
    "channels": 4,
    "cells_per_stage": 1,
    "num_stages": 2,
    "num_cells": 3,
    "population_size": 5,
    "pool_size": 12,
    "num_initial": 4,
    "num_candidates": 12,
    "num_layers": 2,
    "num_epochs": 2,
}
"""Values for settings of these names, wherever a plug-in has one."""

GRAPH_SPACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gnn_space.nasbench_graph": ("node", {"width": 8}),
    "gnn_space.space": ("graph", {"width": 8, "max_blocks": 2}),
    "gnn_space.space:node": ("node", {"level": "node", "width": 8, "max_blocks": 2}),
}
"""Import paths of spaces of graph networks, with what these classify and the settings; after a colon stands a level."""

SPACES = (toy_space.NAME, *catalog.names("space"), *GRAPH_SPACES)
IMAGES = TaskShape(inputs=(3, 8, 8), outputs=(4,))


def tensor_batch(shape: TaskShape) -> torch.Tensor:
    """Return four random examples of a task with tensors."""
    return torch.randn(4, *shape.inputs, generator=torch.Generator().manual_seed(0))


@dataclass(frozen=True)
class SpaceCase:
    """A space, a task that its networks fit, and what makes a batch of four examples of it."""

    space: SearchSpace
    shape: TaskShape
    batch: Callable[[TaskShape], Any] = tensor_batch


def small_settings(kind: str, name: str) -> dict[str, Any]:
    """Return small values for those settings of a plug-in that have a name in `SMALL`."""
    return {setting.name: SMALL[setting.name] for setting in catalog.settings(kind, name) if setting.name in SMALL}


def space_case(name: str) -> SpaceCase:
    """Return a small space of a name in `SPACES`."""
    if name == toy_space.NAME:
        return SpaceCase(toy_space.build(), toy_space.SHAPE)
    if name in GRAPH_SPACES:
        what, settings = GRAPH_SPACES[name]
        space = catalog.load("space", name.partition(":")[0]).build(**settings)
        if what == "node":
            return SpaceCase(space, tiny_graphs.NODES, lambda shape: tiny_graphs.node_batch())
        return SpaceCase(space, tiny_graphs.GRAPHS, lambda shape: tiny_graphs.batch_of_graphs())
    return SpaceCase(catalog.load("space", name).build(**small_settings("space", name)), IMAGES)
