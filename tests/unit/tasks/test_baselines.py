"""Random networks to compare with: distinct ones, or an error where a space has too few."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from nas_core import variation
from nas_core.architecture import Architecture
from nas_core.spaces import nasbench201
from tasks import baselines
from tasks.stage import Stage

SPACE = nasbench201.build(channels=2, cells_per_stage=1)


def test_random_networks_are_distinct_and_the_same_for_the_same_seed(make_checkout: Callable[..., Stage]) -> None:
    settings = make_checkout(baselines={"random_architectures": 20}).settings
    found = baselines._random(SPACE, settings)
    assert len({SPACE.canonical(architecture) for architecture in found}) == 20
    assert found == baselines._random(SPACE, settings)


def test_a_space_with_too_few_networks_is_one_line(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    only = Architecture("nasbench201", (3, 3, 3, 3, 3, 3))
    monkeypatch.setattr(variation, "sample", lambda space, generator: only)
    settings = make_checkout(baselines={"random_architectures": 2}).settings
    with pytest.raises(ValueError, match="is 2; 2000 random draws from space nasbench201 gave 1 distinct networks"):
        baselines._random(SPACE, settings)
