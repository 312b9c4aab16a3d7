"""Checkouts to run stages in; and leaves the exhaustive tests out unless they are asked for: `pytest -m exhaustive`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small_checkout


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what is marked exhaustive, whatever else `-m` says."""
    if "exhaustive" in config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("exhaustive") is not None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkout in which nothing was run yet; copy it."""
    folder = tmp_path_factory.mktemp("checkout") / "pristine"
    small_checkout.make(folder)
    return folder


@pytest.fixture
def checkout(pristine: Path, tmp_path: Path) -> Path:
    """A small checkout for one test."""
    shutil.copytree(pristine, tmp_path / "checkout")
    return tmp_path / "checkout"
