"""The settings that are kept beside params.yaml for jobs of other kinds: each is valid."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.settings import load

ROOT = Path(__file__).parents[3]
WHOLE = re.compile(r"^prepare:", re.MULTILINE)
"""What a file of comparisons alone lacks; that is checked by the tests of `flows.compare`."""

FILES = sorted(
    path
    for folder in ("gnn_space", "benchmarks")
    for path in (ROOT / folder).glob("*.yaml")
    if WHOLE.search(path.read_text())
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_settings_are_valid(path: Path) -> None:
    assert load(path).search.strategies


def test_there_are_settings() -> None:
    assert len(FILES) >= 2
