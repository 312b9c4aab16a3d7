"""The project's own params.yaml, with something wrong in it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.settings import SettingsError, load

PARAMS = Path(__file__).parents[3] / "params.yaml"

Change = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="session")
def original() -> dict[str, Any]:
    """Return the content of params.yaml; tests change copies of it."""
    document: dict[str, Any] = yaml.safe_load(PARAMS.read_text())
    return document


@pytest.fixture
def error_of(tmp_path: Path) -> Callable[[str | bytes], str]:
    """Return a function that gives the error of a file with some content, or an empty text if it is right."""

    def written(content: str | bytes) -> str:
        path = tmp_path / "params.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        try:
            load(path)
        except SettingsError as error:
            return str(error)
        return ""

    return written


@pytest.fixture
def error_after(original: dict[str, Any], error_of: Callable[[str], str]) -> Callable[[Change], str]:
    """Return a function that gives the error of params.yaml after a change, or an empty text if it is still right."""

    def changed(change: Change) -> str:
        document = copy.deepcopy(original)
        change(document)
        return error_of(yaml.safe_dump(document, sort_keys=False))

    return changed
