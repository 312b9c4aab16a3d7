"""Wrong settings of the spaces of bit strings, Cartesian programs and hierarchies: one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ErrorAfter = Callable[[Callable[[dict[str, Any]], object]], str]

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "genetic_cnn", "nodes": [1, 3]}, "search.space.nodes.0 is 1; it must be at least 2"),
    ({"name": "genetic_cnn", "nodes": [9]}, "nodes are (9,); give each stage a number from 2 to 7"),
    ({"name": "genetic_cnn", "kernel_size": 4}, "kernel_size is 4; give an odd number"),
    ({"name": "cgp", "block": "res_blok"}, "did you mean 'res_block'?"),
    ({"name": "cgp", "levels_back": 40}, "levels_back at most columns"),
    ({"name": "cgp", "min_active": 31}, "min_active is 31 and max_active 50; let a chain of so many nodes lead"),
    ({"name": "hierarchical", "motif_nodes": 1}, "search.space.motif_nodes is 1; it must be at least 2"),
    ({"name": "hierarchical", "motifs": 3}, "search.space.motifs is unknown (did you mean 'num_motifs'?)"),
]


@pytest.mark.parametrize(("space", "part"), WRONG)
def test_a_wrong_space_is_one_line(space: dict[str, Any], part: str, error_after: ErrorAfter) -> None:
    error = error_after(lambda document: document["search"].update(space=space))
    assert part in error
    assert "\n" not in error


def test_bit_strings_go_with_every_strategy_of_the_project(error_after: ErrorAfter) -> None:
    """Those that share weights included."""
    space = {"name": "genetic_cnn", "nodes": [3, 5]}
    assert error_after(lambda document: document["search"].update(space=space)) == ""
