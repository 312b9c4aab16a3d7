"""Plug-ins with settings that keep them small, for the contract suites that find them by listing folders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    "num_initial": 4,
    "num_candidates": 12,
    "num_layers": 2,
    "num_epochs": 2,
}
"""Values for settings of these names, wherever a plug-in has one."""

SPACES = (toy_space.NAME, *catalog.names("space"))
IMAGES = TaskShape(inputs=(3, 8, 8), outputs=(4,))


@dataclass(frozen=True)
class SpaceCase:
    """A space and a task that its networks fit."""

    space: SearchSpace
    shape: TaskShape


def small_settings(kind: str, name: str) -> dict[str, Any]:
    """Return small values for those settings of a plug-in that have a name in `SMALL`."""
    return {setting.name: SMALL[setting.name] for setting in catalog.settings(kind, name) if setting.name in SMALL}


def space_case(name: str) -> SpaceCase:
    """Return a small space of a name in `SPACES`."""
    if name == toy_space.NAME:
        return SpaceCase(toy_space.build(), toy_space.SHAPE)
    return SpaceCase(catalog.load("space", name).build(**small_settings("space", name)), IMAGES)
