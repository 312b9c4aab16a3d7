"""Plug-ins with settings that keep them small, for the contract suites that find them by listing folders."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tiny_graphs
import torch
import toy_space

from nas_core import catalog
from nas_core.networks.vertex_cell import VertexCell
from nas_core.space import SearchSpace
from nas_core.spaces import nasbench101
from nas_core.task import TaskShape
from nas_core.variation import sample

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
    "num_mutations": 8,
    "num_samples": 4,
    "num_neighbors": 4,
    "num_climbs": 1,
    "num_draws": 8,
    "max_fit_steps": 1,
    "num_morphisms": 2,
    "num_children": 12,
    "num_accepted": 4,
    "predictor_settings": {"num_members": 2, "num_trees": 2},
}
"""Values for settings of these names, wherever a plug-in has one."""

LEAST: Mapping[str, Mapping[str, Any]] = {
    "nasbench101": {"channels": 6},
    "genetic_cnn": {"nodes": (3, 4), "kernel_size": 3},
    "cgp": {
        "rows": 2,
        "columns": 4,
        "levels_back": 2,
        "min_active": 3,
        "block_channels": (2, 4),
        "kernel_sizes": (1, 3),
    },
    "hierarchical": {"num_motifs": 2, "motif_nodes": 3, "cell_nodes": 3},
}
"""Settings of single spaces, some of which `SMALL` would make too small."""

FEW_FITS: Mapping[str, Mapping[str, Any]] = {"gaussian_process": {"num_initial": 10}}
"""Settings of strategies that would take long with those of `SMALL`."""

GRAPH_SPACES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gnn_space.nasbench_graph": ("node", {"width": 8}),
    "gnn_space.space": ("graph", {"width": 8, "max_blocks": 2}),
    "gnn_space.space:node": ("node", {"level": "node", "width": 8, "max_blocks": 2}),
}
"""Import paths of spaces of graph networks, with what these classify and the settings; after a colon stands a level."""

STRATEGY_PARTS: Mapping[str, Mapping[str, Any]] = {
    "reinforce:ppo": {
        "controller": "lstm",
        "controller_settings": {"num_units": 4, "num_layers": 1},
        "update": "ppo",
        "batch_size": 3,
    },
}
"""Strategies that are composed of parts by name, with others than by default; before the colon stands the strategy."""

STRATEGIES = (*catalog.names("strategy"), *STRATEGY_PARTS)
LISTED = "nasbench101:listed"
SPACES = (toy_space.NAME, *catalog.names("space"), LISTED, *GRAPH_SPACES)
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
    small = SMALL | (FEW_FITS.get(name, {}) if kind == "strategy" else {})
    return {setting.name: small[setting.name] for setting in catalog.settings(kind, name) if setting.name in small}


def listed_space() -> SearchSpace:
    """Return NAS-Bench-101 restricted to a few dozen cells, as a table would restrict it."""
    whole = nasbench101.build(channels=6, cells_per_stage=1, num_stages=2)
    generator = np.random.default_rng(0)
    forms = {whole.canonical(sample(whole, generator)) for _ in range(70)}
    cells = [VertexCell.from_bits(form.decisions[:21], form.decisions[21:]) for form in sorted(forms)]
    return nasbench101.NASBench101Members(whole, cells, 5)


def space_case(name: str) -> SpaceCase:
    """Return a small space of a name in `SPACES`."""
    if name == toy_space.NAME:
        return SpaceCase(toy_space.build(), toy_space.SHAPE)
    if name == LISTED:
        return SpaceCase(listed_space(), IMAGES)
    if name in GRAPH_SPACES:
        what, settings = GRAPH_SPACES[name]
        space = catalog.load("space", name.partition(":")[0]).build(**settings)
        if what == "node":
            return SpaceCase(space, tiny_graphs.NODES, lambda shape: tiny_graphs.node_batch())
        return SpaceCase(space, tiny_graphs.GRAPHS, lambda shape: tiny_graphs.batch_of_graphs())
    settings = small_settings("space", name) | LEAST.get(name, {})
    return SpaceCase(catalog.load("space", name).build(**settings), IMAGES)
