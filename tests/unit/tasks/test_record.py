"""What a stage tells the tracker."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from tasks import record
from tasks.record import child, flattened, submit
from tasks.stage import Stage
from tasks.tracking.record import RunRecord


def test_nested_settings_become_dotted_names() -> None:
    nested = {"a": {"b": 1, "c": {"d": None}}, "e": [1, 2], "f": (), 3: "x", "g": {}}
    assert flattened(nested) == {"a.b": 1, "a.c.d": None, "e": "[1, 2]", "f": "[]", "3": "x"}
    assert flattened(None) == {}


def test_a_run_says_what_was_read_and_what_came_of_it(
    make_checkout: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_checkout()
    taken: list[tuple[Any, ...]] = []
    monkeypatch.setattr(record.outbox, "submit", lambda *args: taken.append(args))
    submit(
        stage,
        1_700_000_000.5,
        identity={"select": {"per_strategy": 4}},
        parameters={"extra": 1},
        metrics={"accuracy": 0.5},
        curves={"best": ((1, 0.4), (2, 0.5))},
        inputs=["data/search", "data/search/dataset.json"],
        tags={"rank_0": "a"},
    )
    [(run, root, settings, _)] = taken
    assert isinstance(run, RunRecord)
    assert root == stage.root
    assert settings.experiment == "nasflow"
    assert run.start_time_ms == 1_700_000_000_500
    assert run.end_time_ms > run.start_time_ms
    assert run.parameters == {"select.per_strategy": 4, "extra": 1}
    expected = {
        "data/search": stage.root / "data/search/manifest.json",
        "data/search/dataset.json": stage.root / "data/search/dataset.json",
    }
    assert run.inputs == {name: hashlib.md5(path.read_bytes()).hexdigest() for name, path in expected.items()}
    assert [each.name for each in run.datasets] == ["data/search", "data/search/dataset.json"]
    assert json.dumps(run.metrics) == '{"accuracy": 0.5}'


def test_a_child_is_a_run_of_the_same_stage(make_checkout: Callable[..., Stage]) -> None:
    run = child(make_checkout(), "rank 0", 2.0, metrics={"accuracy": 0.5})
    assert (run.stage, run.name, run.start_time_ms) == ("test", "rank 0", 2000)
