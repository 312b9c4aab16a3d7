"""The settings of graph jobs are right as they stand, and a space is refused data that its networks cannot take."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.settings import load

FOLDER = Path(__file__).parents[3] / "gnn_space"
CORA = {"name": "gnn_space.sets.planetoid", "collection": "Cora"}
PROTEINS = {"name": "gnn_space.sets.tu_dataset", "collection": "PROTEINS"}


@pytest.mark.parametrize(("name", "level"), [("params.yaml", "graph"), ("params_nodes.yaml", "node")])
def test_ready_made_settings_are_right(name: str, level: str) -> None:
    settings = load(FOLDER / name)
    assert settings.search.space.settings["level"] == level
    assert settings.tracking.experiment != "nasflow"


@pytest.fixture
def error_of_graphs(error_of: Callable[[str], str]) -> Callable[..., str]:
    """Return a function that gives the error of the settings for graphs with a data set and a space."""
    document: dict[str, Any] = yaml.safe_load((FOLDER / "params.yaml").read_text())

    def changed(dataset: object, space: object) -> str:
        changed = copy.deepcopy(document)
        changed["prepare"].update(dataset=dataset, transfer=copy.deepcopy(dataset))
        changed["search"]["space"] = space
        return error_of(yaml.safe_dump(changed))

    return changed


@pytest.mark.parametrize(
    ("dataset", "space", "taken", "given"),
    [
        (PROTEINS, {"name": "gnn_space.space", "level": "node"}, "nodes", "graphs"),
        (CORA, {"name": "gnn_space.space"}, "graphs", "nodes"),
        ("digits", {"name": "gnn_space.space"}, "graphs", "images"),
        (PROTEINS, {"name": "nasbench201"}, "images", "graphs"),
        (PROTEINS, {"name": "gnn_space.nasbench_graph"}, "nodes", "graphs"),
    ],
)
def test_a_space_is_refused_data_that_it_cannot_take(
    error_of_graphs: Callable[..., str], dataset: object, space: dict[str, str], taken: str, given: str
) -> None:
    error = error_of_graphs(dataset, space)
    named = dataset if isinstance(dataset, str) else dataset["name"]  # type: ignore[index]  # a name or a mapping
    assert error.startswith(
        f"params.yaml: search.space is {space['name']}, whose networks take {taken}, and prepare.dataset is {named}, "
        f"which has {given}; "
    )


def test_a_misspelt_module_is_told_its_neighbor(error_of_graphs: Callable[..., str]) -> None:
    assert "; did you mean 'gnn_space.sets.motif'?" in error_of_graphs(
        {"name": "gnn_space.sets.motifs"}, {"name": "gnn_space.space"}
    )


def test_a_rule_on_two_keys_shows_no_other_settings(error_after: Callable[..., str]) -> None:
    error = error_after(lambda document: document["prepare"].update(folds=10, fold=10))
    assert error == "params.yaml: prepare: fold is 10; allowed: 0 to 9, as folds is 10"
