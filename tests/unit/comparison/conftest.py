"""The section of a small comparison, and a checkout to run it in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_comparison import SMALL

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def small() -> dict[str, Any]:
    """Return the section of a small comparison, which a test may change."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def write_params() -> Callable[..., None]:
    """Return a function that writes params.yaml with a comparison into a folder."""

    def write(folder: Path, section: dict[str, Any], workers: int = 1) -> None:
        document = yaml.safe_load((PROJECT / "params.yaml").read_text())
        document["compare"] = {"small": section}
        document["compute"]["workers"] = workers
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "params.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    return write
