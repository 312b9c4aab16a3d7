"""What one search left: its anytime curves and all that it evaluated."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nas_core.objectives import Objective


@dataclass(frozen=True)
class CurvePoint:
    """The state of one repetition after an evaluation.

    Attributes:
        evaluation: counted from 1.
        seconds: that all evaluations up to this one took.
        best: the best score of the first objective so far; None while all have failed.
    """

    evaluation: int
    seconds: float
    best: float | None


@dataclass(frozen=True)
class SearchResult:
    """One finished search of params.yaml.

    Attributes:
        key: its name in params.yaml.
        strategy: the plug-in.
        evaluator: the plug-in's name and settings: equal ones give scores that can be compared.
        objectives: the first is what curves show.
        seeds: one repetition each.
        num_evaluations: of all repetitions.
        num_failures: of all repetitions.
        curves: by seed.
        scores: of every evaluation that did not fail, by objective, all repetitions together.
    """

    key: str
    strategy: str
    evaluator: Mapping[str, Any]
    objectives: tuple[Objective, ...]
    seeds: tuple[int, ...]
    num_evaluations: int
    num_failures: int
    curves: Mapping[int, tuple[CurvePoint, ...]]
    scores: tuple[Mapping[str, float], ...]

    @property
    def evaluator_key(self) -> str:
        """The evaluator with all its settings, as text: what must be equal for scores to stand in one panel."""
        return json.dumps(self.evaluator, sort_keys=True)

    @property
    def evaluator_phrase(self) -> str:
        """The evaluator with its settings, for people."""
        return evaluator_phrase(self.evaluator)

    @property
    def goal(self) -> Objective:
        """The first objective."""
        return self.objectives[0]

    @property
    def evaluations_each(self) -> int:
        """Evaluations of a repetition, the most of any."""
        return max((len(curve) for curve in self.curves.values()), default=0)


def evaluator_phrase(evaluator: Mapping[str, Any]) -> str:
    """Return an evaluator with its settings as words, such as ``low fidelity, epochs 3``."""
    settings = [f"{name.replace('_', ' ')} {value}" for name, value in evaluator.items() if name != "name"]
    return ", ".join([str(evaluator["name"]).replace("_", " "), *settings])


def read_search(folder: Path) -> SearchResult:
    """Return the search whose folder of results is given.

    Raises:
        FileNotFoundError: a file is absent.
        KeyError: a file lacks what belongs into it.
    """
    content = json.loads((folder / "recommendations.json").read_bytes())
    seeds = tuple(int(repetition["seed"]) for repetition in content["repetitions"])
    return SearchResult(
        key=content["search"],
        strategy=content["strategy"],
        evaluator=content["evaluator"],
        objectives=tuple(Objective(**objective) for objective in content["objectives"]),
        seeds=seeds,
        num_evaluations=content["num_evaluations"],
        num_failures=content["num_failures"],
        curves=_curves(folder / "curve.csv"),
        scores=tuple(scores for seed in seeds for scores in _scores(folder / f"archive-{seed}.jsonl")),
    )


def _curves(path: Path) -> dict[int, tuple[CurvePoint, ...]]:
    found: dict[int, list[CurvePoint]] = defaultdict(list)
    with path.open(newline="") as stream:
        for row in csv.DictReader(stream):
            best = float(row["best"]) if row["best"] else None
            found[int(row["seed"])].append(CurvePoint(int(row["evaluation"]), float(row["seconds"]), best))
    return {seed: tuple(points) for seed, points in found.items()}


def _scores(path: Path) -> list[Mapping[str, float]]:
    """Return the scores of the evaluations in an archive that did not fail; the first line is its header."""
    lines = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    return [line["scores"] for line in lines if "scores" in line]
