"""What a cross-validation found: the result files of every fold, brought together."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.measures import spread

WINNER = "searched"
CONFIDENCE_LEVEL = 0.95


def read_fold(root: Path) -> dict[str, dict[str, float | None]]:
    """Return what one fold's stages found, by the name of the network: test and validation accuracy, and parameters.

    The network of rank 0 is "searched", its variants go by their own names, as do the baselines; accuracies are means
    over the seeds of training (over the architectures, for random ones), in 0..1.

    Args:
        root: the fold's folder, in which `retrain@0` and `baselines` have ended.

    Raises:
        FileNotFoundError: a stage has not ended.
        ValueError: the search found nothing to train.
    """
    winner = json.loads((root / "results/retrain/0/metrics.json").read_bytes())
    baselines = json.loads((root / "results/baselines/baselines.json").read_bytes())
    if winner["status"] != "trained":
        raise ValueError(f"{root}: {winner['reason']}")
    found = {WINNER: _measured(winner)}
    for name, metrics in winner.get("variants", {}).items():
        found[name] = _measured(metrics)
    found["reference"] = _measured(baselines["reference"])
    for name, metrics in baselines.get("named", {}).items():
        found[name] = _measured(metrics)
    random, regression = baselines["random"], baselines["logistic_regression"]
    sizes = [each["num_parameters"] for each in random["architectures"]]
    found[f"{len(sizes)} random networks"] = {
        "test_accuracy": random["test_accuracy"]["mean"],
        "validation_accuracy": random["validation_accuracy"]["mean"],
        "num_parameters": statistics.fmean(sizes),
    }
    found["logistic regression"] = {
        "test_accuracy": regression["test_accuracy"],
        "validation_accuracy": regression["validation_accuracy"],
        "num_parameters": None,
    }
    return found


def summarized(folds: Sequence[Mapping[str, Mapping[str, float | None]]]) -> list[dict[str, Any]]:
    """Return for each network its accuracies with their spread over folds, and how the searched one differs from it.

    Args:
        folds: what `read_fold` gave for each; a network that a fold lacks is left out.

    Returns:
        Rows with name, num_parameters (mean over folds, or None), test_accuracy and validation_accuracy
        ({mean, standard_deviation, values}), and difference ({mean, low, high}) of the searched network's test accuracy
        less this one's; None for the searched network itself, and where there is a single fold.
    """
    rows = []
    for name in folds[0]:
        if not all(name in fold for fold in folds):
            continue
        sizes = [fold[name]["num_parameters"] for fold in folds]
        test = _values(folds, name, "test_accuracy")
        won = _values(folds, WINNER, "test_accuracy")
        rows.append(
            {
                "name": name,
                "num_parameters": statistics.fmean(size for size in sizes if size is not None) if any(sizes) else None,
                "test_accuracy": spread(test),
                "validation_accuracy": spread(_values(folds, name, "validation_accuracy")),
                "difference": None
                if name == WINNER or len(folds) < 2
                else fold_interval([ours - theirs for ours, theirs in zip(won, test, strict=True)]),
            }
        )
    return rows


def fold_interval(differences: Sequence[float], confidence_level: float = CONFIDENCE_LEVEL) -> dict[str, float]:
    """Return mean, low and high of the difference of two learners over the folds of one cross-validation.

    The training parts of folds overlap, so that the variance of the mean over k folds is not s^2 / k: Nadeau and Bengio
    (2003, Machine Learning 52) correct it to ``(1 / k + test / train) s^2``, here with test / train = 1 / (k - 1), and
    take Student's t of k - 1 degrees of freedom. Follows the paper, which derives it for random splits; for folds it is
    in common use (Bouckaert and Frank 2004).

    Args:
        differences: one a fold, of 2 or more.
        confidence_level: in (0, 1).
    """
    from nas_core.robustness.intervals import student_quantile

    num_folds = len(differences)
    mean = statistics.fmean(differences)
    deviation = statistics.stdev(differences)
    half = (
        student_quantile(confidence_level, num_folds - 1) * deviation * math.sqrt(1 / num_folds + 1 / (num_folds - 1))
    )
    return {"mean": mean, "low": mean - half, "high": mean + half}


def _measured(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        "test_accuracy": float(metrics["test_accuracy"]["mean"]),
        "validation_accuracy": float(metrics["validation_accuracy"]["mean"]),
        "num_parameters": float(metrics["num_parameters"]),
    }


def _values(folds: Sequence[Mapping[str, Mapping[str, float | None]]], name: str, key: str) -> list[float]:
    return [float(fold[name][key] or 0.0) for fold in folds]
