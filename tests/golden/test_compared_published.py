"""The comparison of the README on the published tables: the best that they hold, and a baseline's published mean."""

from __future__ import annotations

import json
import os
from pathlib import Path
from statistics import fmean

import pytest

from tasks.comparison.agreement import check
from tasks.comparison.contest import contests
from tasks.comparison.field import best_of
from tasks.comparison.repetition import play
from tasks.settings.comparison import ComparisonSettings
from tasks.settings.document import read

ROOT = os.environ.get("NAS_DATA_ROOT")
EXAMPLE = Path(__file__).parents[2] / "benchmarks" / "compare.yaml"

pytestmark = pytest.mark.skipif(ROOT is None, reason="NAS_DATA_ROOT names no folder with tables")


@pytest.fixture(autouse=True)
def _tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_TABLES_ROOT", str(Path(ROOT or "") / "tables"))


def comparison(label: str) -> ComparisonSettings:
    """Return a comparison of the example."""
    return ComparisonSettings.model_validate_json(json.dumps(read(EXAMPLE)["compare"][label]))


@pytest.mark.parametrize("label", ["nasbench201", "nasbench101"])
def test_all_of_it_goes_together(label: str) -> None:
    check(EXAMPLE.name, f"compare.{label}", comparison(label))


@pytest.mark.parametrize(("key", "test_accuracy"), [("cifar10", 0.943733), ("cifar100", 0.735133)])
def test_the_best_of_nasbench201(key: str, test_accuracy: float) -> None:
    best = best_of(comparison("nasbench201").benchmarks[key])
    assert best.reported == pytest.approx(test_accuracy, abs=1e-6)
    assert best.reported_of_best_score is not None
    assert best.reported_of_best_score <= best.reported


@pytest.mark.parametrize("key", ["cifar10", "cifar100"])
def test_random_search_is_as_published(key: str) -> None:
    settings = comparison("nasbench201")
    (contest,) = (c for c in contests(settings) if (c.benchmark_key, c.strategy_key) == (key, "random_search"))
    reached = [play(contest, seed).at(100) for seed in range(150)]
    value = settings.benchmarks[key].published[0].values["random_search"]
    assert value.standard_deviation is not None
    # four standard errors of both means, and what 100 queries give beyond 12,000 seconds
    tolerance = 4 * value.standard_deviation * (1 / 150 + 1 / 500) ** 0.5
    assert fmean(step.reported or 0 for step in reached if step) == pytest.approx(value.mean, abs=tolerance)
