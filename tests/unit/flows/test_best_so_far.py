"""What an interrupted run tells about its searches."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from flows.best_so_far import best_so_far

PARAMS = Path(__file__).parents[3] / "params.yaml"
HEAD = '{"format": 1, "search": {"objectives": ["validation_accuracy"]}}\n'


def evaluation(architecture: str, accuracy: float) -> str:
    """Returns a line of an archive."""
    return f'{{"architecture": "{architecture}", "scores": {{"validation_accuracy": {accuracy}}}}}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout in which no search has begun."""
    (tmp_path / "params.yaml").write_text(PARAMS.read_text())
    return tmp_path


def test_before_any_search_there_is_nothing_to_say(folder: Path) -> None:
    assert best_so_far(folder) == ""


def test_the_best_of_all_repetitions_is_told_and_failures_and_torn_lines_are_left_out(folder: Path) -> None:
    key = next(iter(yaml.safe_load(PARAMS.read_text())["search"]["strategies"]))
    work = folder / ".work" / f"search@{key}" / "0123"
    work.mkdir(parents=True)
    failure = '{"architecture": "toy:9", "failure": "out of memory", "scores": {}}\n'
    (work / "archive-0.jsonl").write_text(HEAD + evaluation("toy:1", 0.5) + failure + evaluation("toy:2", 0.75))
    (work / "archive-1.jsonl").write_text(HEAD + evaluation("toy:3", 0.625) + evaluation("toy:4", 0.99)[:-9])

    assert best_so_far(folder) == f"{key}: 3 evaluations, best validation_accuracy 0.75 by toy:2"
