"""Which shifts may be named is known from the data set's name alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gnn_space.shifts import suite
from nas_core import catalog
from tasks.settings.agreement import shift_names
from tasks.settings.sections import Prepare


def prepared(name: str) -> Prepare:
    """Return the section that names a data set for everything."""
    return Prepare.model_validate({"dataset": name, "transfer": name})


def test_images_have_corruptions() -> None:
    assert shift_names(prepared("digits")) == catalog.names("corruption")


@pytest.mark.parametrize("name", ["motif", "tu_dataset", "planetoid"])
def test_graphs_and_nodes_have_structural_noise(name: str) -> None:
    assert shift_names(prepared(f"gnn_space.sets.{name}")) == suite.names()


def test_the_name_says_the_same_task_as_the_loaded_set() -> None:
    module = catalog.load("data set", "gnn_space.sets.motif")
    assert module.load(None, num_train=6, num_validation=3, num_test=3).learning_task == module.LEARNING_TASK


@pytest.mark.skipif("NAS_DATA_ROOT" not in os.environ, reason="needs published data")
@pytest.mark.parametrize(("name", "collection"), [("tu_dataset", "MUTAG"), ("planetoid", "Cora")])
def test_the_name_says_the_same_task_as_the_published_set(name: str, collection: str) -> None:
    module = catalog.load("data set", f"gnn_space.sets.{name}")
    loaded = module.load(Path(os.environ["NAS_DATA_ROOT"]), download=False, collection=collection)
    assert loaded.learning_task == module.LEARNING_TASK
