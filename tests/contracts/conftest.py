"""The plug-ins that the contract suites find by listing folders."""

from __future__ import annotations

import pytest
import small_plug_ins
from small_plug_ins import SpaceCase

from nas_core.space import SearchSpace


@pytest.fixture(params=small_plug_ins.SPACES, scope="session")
def space_case(request: pytest.FixtureRequest) -> SpaceCase:
    """Every space, one after the other."""
    return small_plug_ins.space_case(request.param)


@pytest.fixture(scope="session")
def space(space_case: SpaceCase) -> SearchSpace:
    """Every space, one after the other."""
    return space_case.space


@pytest.fixture(params=small_plug_ins.STRATEGIES)
def strategy_name(request: pytest.FixtureRequest) -> str:
    """Every strategy, one after the other."""
    return request.param
