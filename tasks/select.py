"""Stage `select`: makes the finds of all searches comparable and chooses the candidates to retrain.

Scores by shared weights, at low fidelity and after full training cannot be ranked against each other. So the best few
of each search, by its own scores, are scored again with one evaluator, one fidelity and the same seeds, on validation
data; the best of those, one of each canonical form, become the candidates.

``python -m tasks.select`` writes ``results/select/selection.json``, which says for each candidate why it was chosen.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.atomic_files import write_json
from nas_core.checkpoint import CheckpointFile
from nas_core.evaluation import Evaluation
from nas_core.objectives import Objective
from nas_core.search import Budget, Search
from nas_core.space import SearchSpace
from tasks import assembly, data
from tasks.candidate import SELECTION, official_name
from tasks.console import progress
from tasks.fixed_list import FixedList
from tasks.measures import spread
from tasks.record import submit
from tasks.settings import Settings
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord

FORMAT = 1


def main() -> int:
    """Run the stage; return its exit code."""
    return run("select", select, inputs=inputs, identity=identity)


def inputs(settings: Settings) -> list[str]:
    """Return what the stage reads."""
    return [data.SEARCH, *(f"results/search/{key}/recommendations.json" for key in settings.search.strategies)]


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return {
        "select": settings.select.model_dump(mode="json"),
        "num_candidates": len(settings.retrain.ranks),
        "limits": [[goal.name, goal.limit] for goal in _limits(settings)],
        "horizontal_flip": settings.prepare.horizontal_flip,
    }


@dataclass
class Entry:
    """A network of the pool, and who proposed it."""

    architecture: Architecture
    canonical: Architecture
    proposed_by: list[dict[str, Any]] = field(default_factory=list)


def select(stage: Stage) -> None:
    """Score the pool and write the selection."""
    started = time.time()
    settings = stage.settings
    space = assembly.space(settings)
    pool = _pool(stage.root, space, list(settings.search.strategies), settings.select.per_strategy)
    evaluations = _scored(stage, space, [entry.architecture for entry in pool])
    ranked, over_limit = _ranked(pool, evaluations, space, _limits(settings))
    num_candidates = len(settings.retrain.ranks)
    chosen = [
        {**entry, "rank": rank, "reason": _reason(entry, rank, len(ranked), len(settings.select.seeds))}
        for rank, entry in enumerate(ranked[:num_candidates])
    ]
    if not chosen and over_limit:
        raise ValueError(
            f"none of the {len(pool)} networks can be a candidate; {over_limit[0]['architecture']}, for one, has "
            f"{over_limit[0]['exceeds'][0]}; relax the limits of the objectives, or search longer"
        )
    if not chosen:
        reason = next(e.failure for each in evaluations.values() for e in each if e.failure)
        raise ValueError(f"none of the {len(pool)} networks could be scored, the first one: {reason}")
    selection = {
        "format": FORMAT,
        "evaluator": settings.select.evaluator.model_dump(mode="json"),
        "seeds": list(settings.select.seeds),
        "candidates": chosen,
        "pool": ranked,
        "over_limit": over_limit,
        "failed": [
            {"architecture": entry.architecture.key, "failure": evaluation.failure}
            for entry in pool
            for evaluation in evaluations[entry.architecture]
            if evaluation.failure is not None
        ],
    }
    stage.publish("results/select", lambda draft: write_json(draft / "selection.json", selection))
    best = chosen[0]["validation_accuracy"]
    seconds = round(time.time() - started, 3)
    metrics = {
        "best_validation_accuracy": {name: best[name] for name in ("mean", "standard_deviation")},
        "num_scored": len(ranked),
        "seconds": seconds,
    }
    write_json(stage.root / "metrics/select.json", metrics)
    submit(
        stage,
        started,
        identity=identity(settings),
        metrics={"best_validation_accuracy": best["mean"], "num_scored": len(ranked), "seconds": seconds},
        inputs=inputs(settings),
        artifacts=[ArtifactRecord(SELECTION)],
        tags={f"rank_{entry['rank']}": entry["architecture"] for entry in chosen},
    )


def _pool(root: Path, space: SearchSpace, keys: Sequence[str], per_strategy: int) -> list[Entry]:
    """Return the best few distinct networks of every search: recommendations first, then by its own scores."""
    entries: dict[Architecture, Entry] = {}
    for key in keys:
        found = json.loads((root / f"results/search/{key}/recommendations.json").read_bytes())
        taken: set[Architecture] = set()
        # by turns over the repetitions, so that none of them fills the quota alone
        columns = [[{**best, "seed": each["seed"]} for best in each["best"]] for each in found["repetitions"]]
        goal = Objective(**found["objectives"][0])
        depth = max(len(column) for column in columns)
        turns = [[column[row] for column in columns if row < len(column)] for row in range(depth)]
        for turn in turns:
            for best in sorted(turn, key=lambda best: _own_cost(best, goal)):
                canonical = Architecture.from_key(best["canonical"])
                if canonical not in taken and len(taken) >= per_strategy:
                    continue
                taken.add(canonical)
                architecture = Architecture.from_key(best["architecture"])
                entry = entries.setdefault(canonical, Entry(architecture, canonical))
                entry.proposed_by.append(
                    {
                        "search": key,
                        "seed": best["seed"],
                        "how": "recommendation" if best["recommended"] else "archive",
                        "own_score": best["scores"].get(goal.name),
                    }
                )
    return list(entries.values())


def _own_cost(best: Mapping[str, Any], goal: Objective) -> float:
    score = best["scores"].get(goal.name)
    return float("inf") if score is None else goal.sign * float(score)


def _scored(
    stage: Stage, space: SearchSpace, architectures: Sequence[Architecture]
) -> dict[Architecture, list[Evaluation]]:
    """Return the evaluations of every architecture, one a seed, from the one common evaluator."""
    settings = stage.settings
    goals = tuple(assembly.objective(name) for name in assembly.COMMON_OBJECTIVES)
    load = partial(data.load_task, stage.root, stage.device, horizontal_flip=settings.prepare.horizontal_flip)
    workers = settings.compute.workers if stage.device == "cpu" else 1
    found: dict[Architecture, list[Evaluation]] = {architecture: [] for architecture in architectures}
    with progress("select: scoring again", len(architectures) * len(settings.select.seeds)) as shown:
        for seed in settings.select.seeds:
            make = partial(assembly.evaluator, settings.select.evaluator, space, goals, seed, load, 1)
            description = {"select": settings.select.evaluator.model_dump(mode="json"), "seed": seed}
            with assembly.side_by_side(make, workers, settings.compute.threads) as evaluator:
                loop = Search(
                    FixedList(architectures),
                    evaluator,
                    Archive(stage.work / f"archive-{seed}.jsonl", description),
                    CheckpointFile(stage.work / f"checkpoint-{seed}.pt"),
                )
                shown.advance(loop.num_evaluations)
                for finished in loop.rounds(Budget(len(architectures), workers)):
                    shown.advance(len(finished.evaluations))
                for evaluation in loop.archive.evaluations():
                    found[evaluation.proposal.architecture].append(evaluation)
                loop.archive.close()
    return found


def _ranked(
    pool: Sequence[Entry],
    evaluations: Mapping[Architecture, Sequence[Evaluation]],
    space: SearchSpace,
    limits: Sequence[Objective],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the networks that were scored with every seed, and what is over a limit.

    The former come by highest mean validation accuracy first, ties by FLOPs.
    """
    rows: list[dict[str, Any]] = []
    over_limit: list[dict[str, Any]] = []
    for entry in pool:
        each = evaluations[entry.architecture]
        if any(evaluation.failure is not None for evaluation in each):
            continue
        exceeds = _exceeds(each, limits)
        if exceeds:
            over_limit.append({"architecture": entry.architecture.key, "exceeds": exceeds})
            continue
        rows.append(
            {
                "architecture": entry.architecture.key,
                "canonical": entry.canonical.key,
                "official_name": official_name(space, entry.architecture),
                "validation_accuracy": spread([evaluation.scores["validation_accuracy"] for evaluation in each]),
                "scores": {name: each[0].scores[name] for name in assembly.COMMON_OBJECTIVES[1:]},
                "proposed_by": entry.proposed_by,
            }
        )
    rows.sort(key=lambda row: (-row["validation_accuracy"]["mean"], row["scores"]["flops"], row["canonical"]))
    return rows, over_limit


def _limits(settings: Settings) -> list[Objective]:
    """Return the objectives of any search that have a limit and are measured here, each distinct limit once."""
    found = {goal: None for key in settings.search.strategies for goal in assembly.objectives(settings, key)}
    return [goal for goal in found if goal.limit is not None and goal.name in assembly.COMMON_OBJECTIVES]


def _exceeds(evaluations: Sequence[Evaluation], limits: Sequence[Objective]) -> list[str]:
    """Return one line for every limit that the mean over the seeds exceeds."""
    lines = []
    for goal in limits:
        mean = statistics.fmean(evaluation.scores[goal.name] for evaluation in evaluations)
        if goal.limit is not None and goal.sign * (mean - goal.limit) > 0:
            word = "most" if goal.goal == "minimize" else "least"
            lines.append(f"{goal.name} {mean:.6g}, allowed is at {word} {goal.limit:.6g}")
    return lines


def _reason(entry: Mapping[str, Any], rank: int, num_scored: int, num_seeds: int) -> str:
    accuracy = entry["validation_accuracy"]
    seeds = f"{num_seeds} seed{'s' if num_seeds > 1 else ''}"
    proposers = ", ".join(dict.fromkeys(f"{each['search']} (seed {each['seed']})" for each in entry["proposed_by"]))
    return (
        f"number {rank + 1} of {num_scored} networks by mean validation accuracy, {100 * accuracy['mean']:.2f} % over "
        f"{seeds} (standard deviation {100 * accuracy['standard_deviation']:.2f}); proposed by {proposers}"
    )


if __name__ == "__main__":
    sys.exit(main())
