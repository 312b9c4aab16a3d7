"""What is made of the folds of a cross-validation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from tasks.fold_results import fold_interval, read_fold, summarized


def written(root: Path, test: float, **winner: Any) -> Path:
    """Write the result files of a fold."""

    def metrics(accuracy: float) -> dict[str, Any]:
        return {"test_accuracy": {"mean": accuracy}, "validation_accuracy": {"mean": 0.5}, "num_parameters": 10}

    for folder in ("results/retrain/0", "results/baselines"):
        (root / folder).mkdir(parents=True)
    content = {"status": "trained", **metrics(test), "variants": {"without pooling": metrics(test - 0.1)}, **winner}
    (root / "results/retrain/0/metrics.json").write_text(json.dumps(content))
    random = {**metrics(0.4), "architectures": [{"num_parameters": 4}, {"num_parameters": 8}]}
    regression = {"test_accuracy": 0.3, "validation_accuracy": 0.3}
    baselines = {
        "reference": metrics(0.6),
        "named": {"gin": metrics(0.55)},
        "random": random,
        "logistic_regression": regression,
    }
    (root / "results/baselines/baselines.json").write_text(json.dumps(baselines))
    return root


def test_a_fold_has_every_network(tmp_path: Path) -> None:
    found = read_fold(written(tmp_path, 0.7))
    assert list(found) == [
        "searched",
        "without pooling",
        "reference",
        "gin",
        "2 random networks",
        "logistic regression",
    ]
    assert found["without pooling"]["test_accuracy"] == pytest.approx(0.6)
    assert found["2 random networks"]["num_parameters"] == 6
    assert found["logistic regression"]["num_parameters"] is None


def test_a_search_that_found_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is none"):
        read_fold(written(tmp_path, 0.7, status="empty", reason="there is none"))


def test_differences_are_of_the_same_folds(tmp_path: Path) -> None:
    folds = [read_fold(written(tmp_path / str(fold), test)) for fold, test in enumerate((0.7, 0.8))]
    rows = {row["name"]: row for row in summarized(folds)}
    assert rows["searched"]["difference"] is None
    assert rows["searched"]["test_accuracy"]["mean"] == pytest.approx(0.75)
    assert rows["without pooling"]["difference"] == pytest.approx({"mean": 0.1, "low": 0.1, "high": 0.1})
    assert rows["reference"]["difference"]["mean"] == pytest.approx(0.15)


def test_the_interval_is_that_of_nadeau_and_bengio() -> None:
    """Two folds, differences 0 and 2: s^2 = 2, factor 1/2 + 1, t(1) = tan(0.475 pi) = 12.7062."""
    interval = fold_interval([0.0, 2.0])
    half = 12.706204736 * math.sqrt(1.5 * 2)
    assert interval == pytest.approx({"mean": 1.0, "low": 1.0 - half, "high": 1.0 + half})
