"""Stage `search@KEY`: one search of params.yaml, repeated for each seed.

``python -m tasks.search --strategy KEY`` writes ``results/search/KEY``: an archive and the anytime curve of each
repetition, and the recommendations that `select` goes on with. Killed and started again, it goes on where it was.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nas_core.architecture import Architecture
from nas_core.archive import Archive
from nas_core.atomic_files import write_json, write_text
from nas_core.evaluation import Evaluation
from nas_core.evaluator import HasQuality
from nas_core.objectives import Objective, excess, rank_key
from nas_core.space import SearchSpace
from tasks import assembly, curves, data
from tasks.console import progress
from tasks.measures import spread
from tasks.record import submit
from tasks.settings import Settings, SettingsError
from tasks.settings.errors import nearest
from tasks.stage import Stage, run
from tasks.tracking.record import ArtifactRecord

FORMAT = 1
NUM_BEST = 20


def main() -> int:
    """Run the stage; return its exit code."""
    parser = argparse.ArgumentParser(description="Run one search of params.yaml.")
    parser.add_argument("--strategy", required=True, help="a key of search.strategies in params.yaml")
    key = parser.parse_args().strategy
    return run(f"search@{key}", partial(search, key=key), inputs=[data.SEARCH], identity=partial(identity, key=key))


def identity(settings: Settings, key: str) -> object:
    """Return the settings that decide the results of one search."""
    chosen = settings.search
    if key not in chosen.strategies:
        raise SettingsError(
            f"--strategy is {key!r}{nearest(key, chosen.strategies)}; search.strategies of params.yaml has "
            f"{', '.join(chosen.strategies)}"
        )
    return {
        "space": chosen.space.model_dump(mode="json"),
        "objectives": [asdict(each) for each in assembly.objectives(settings, key)],
        "seeds": _seeds(settings, key),
        "budget": chosen.budget_of(key).model_dump(mode="json"),
        "evaluator": chosen.evaluator_of(key).model_dump(mode="json"),
        "strategy": chosen.strategies[key].model_dump(mode="json"),
        "horizontal_flip": settings.prepare.horizontal_flip,
    }


@dataclass(frozen=True)
class Repetition:
    """One finished repetition of a search.

    Attributes:
        seed: of all its random streams.
        recommended: what the strategy recommends.
        evaluations: all of them, in order.
        quality: by objective, how good the scores are if they are predictions; None if they are not.
    """

    seed: int
    recommended: Architecture
    evaluations: tuple[Evaluation, ...]
    quality: Mapping[str, Mapping[str, float]] | None = None


def search(stage: Stage, key: str) -> None:
    """Run all repetitions and write their results."""
    import torch

    torch.set_num_threads(stage.settings.compute.threads)
    started = time.time()
    seeds = _seeds(stage.settings, key)
    total = len(seeds) * stage.settings.search.budget_of(key).evaluations
    with progress(f"search {key}", total) as shown:
        repetitions = [_repetition(stage, key, seed, shown.advance) for seed in seeds]
    space = assembly.space(stage.settings)
    goals = assembly.objectives(stage.settings, key)
    summary = _summary(stage, key, space, goals, repetitions)
    screened = _num_screened(stage, key, seeds)
    if screened:
        summary["screen"] = {
            **stage.settings.search.strategies[key].model_dump(mode="json")["screen"],
            "num_evaluations": sum(screened.values()),
        }
    by_seed = {repetition.seed: curves.curve(repetition.evaluations, goals) for repetition in repetitions}

    def fill(draft: Path) -> None:
        for seed in seeds:
            shutil.copyfile(stage.work / f"archive-{seed}.jsonl", draft / f"archive-{seed}.jsonl")
            if screened:
                shutil.copyfile(stage.work / f"screen-{seed}.jsonl", draft / f"screen-{seed}.jsonl")
        write_text(draft / "curve.csv", curves.table(by_seed))
        write_json(draft / "recommendations.json", summary)

    stage.publish(f"results/search/{key}", fill)
    anytime = curves.anytime(by_seed)
    write_text(
        stage.root / f"plots/search-{key}.csv", curves.csv_text(("evaluation", "best", "lowest", "highest"), anytime)
    )
    metrics = _metrics(repetitions, by_seed, goals[0], time.time() - started)
    write_json(stage.root / f"metrics/search-{key}.json", metrics)
    submit(
        stage,
        started,
        parameters={"seeds": ",".join(map(str, seeds)), "strategy": summary["strategy"]},
        identity=identity(stage.settings, key),
        metrics={
            **({f"best_{goals[0].name}": metrics["best"]["mean"]} if metrics["best"] else {}),
            "seconds": metrics["seconds"],
        },
        curves={f"best_{goals[0].name}": tuple((step, best) for step, best, *_ in anytime)},
        inputs=[data.SEARCH],
        artifacts=[ArtifactRecord(f"results/search/{key}/recommendations.json")],
    )


def _seeds(settings: Settings, key: str) -> list[int]:
    return list(settings.search.strategies[key].seeds or settings.search.seeds)


def _repetition(stage: Stage, key: str, seed: int, advance: Callable[..., None]) -> Repetition:
    load = partial(data.load_task, stage.root, stage.device, horizontal_flip=stage.settings.prepare.horizontal_flip)
    goals = assembly.objectives(stage.settings, key)
    with assembly.search(stage.settings, key, seed, load, stage.work) as (loop, budget):
        advance(loop.num_evaluations)
        try:
            for finished in loop.rounds(budget):
                advance(len(finished.evaluations), _best_words(loop.archive, goals))
        except KeyboardInterrupt:
            words = _best_words(loop.archive, goals) or "nothing evaluated yet"
            print(f"search {key}, seed {seed}: {words}", file=sys.stderr)
            raise
        evaluations = tuple(loop.archive.evaluations())
        if all(evaluation.failure is not None for evaluation in evaluations):
            reason = evaluations[0].failure if evaluations else "the strategy proposed nothing"
            raise ValueError(
                f"all {len(evaluations)} evaluations of seed {seed} failed, the first one: {reason}; "
                f"if that was not the candidates' fault, remove {stage.work} and run the same command again"
            )
        quality = loop.evaluator.quality() if isinstance(loop.evaluator, HasQuality) else None
        return Repetition(seed, loop.strategy.recommend(), evaluations, quality)


def _num_screened(stage: Stage, key: str, seeds: Sequence[int]) -> dict[int, int]:
    """Return how many cheap scores each repetition asked for; nothing if the search has none."""
    if stage.settings.search.strategies[key].screen is None:
        return {}
    found = {}
    for seed in seeds:
        with closing(assembly.screen_archive(stage.settings, key, seed, stage.work)) as archive:
            found[seed] = archive.num_evaluations
    return found


def _best_words(archive: Archive, goals: Sequence[Objective]) -> str:
    scored = [evaluation for evaluation in archive.evaluations() if evaluation.failure is None]
    if not scored:
        return ""
    best = min(scored, key=lambda evaluation: _rank(evaluation, goals))
    return f"best {goals[0].name} {best.scores[goals[0].name]:.4g} by {best.proposal.architecture.key}"


def _summary(
    stage: Stage, key: str, space: SearchSpace, goals: Sequence[Objective], repetitions: Sequence[Repetition]
) -> dict[str, Any]:
    """Return recommendations.json: no clock in it, so that the same search gives the same bytes."""
    chosen = stage.settings.search
    return {
        "format": FORMAT,
        "search": key,
        "strategy": chosen.strategies[key].strategy or key,
        "evaluator": chosen.evaluator_of(key).model_dump(mode="json"),
        "objectives": [asdict(goal) for goal in goals],
        "space": chosen.space.model_dump(mode="json"),
        "num_evaluations": sum(len(each.evaluations) for each in repetitions),
        "num_failures": sum(_num_failures(each) for each in repetitions),
        "repetitions": [
            {
                "seed": each.seed,
                "recommended": each.recommended.key,
                "num_evaluations": len(each.evaluations),
                "num_failures": _num_failures(each),
                "num_distinct": len({space.canonical(e.proposal.architecture) for e in each.evaluations}),
                **({"quality": each.quality} if each.quality is not None else {}),
                "num_repeated": len(each.evaluations) - len({e.proposal.query for e in each.evaluations}),
                "best": _best(space, goals, each),
            }
            for each in repetitions
        ],
    }


def _num_failures(repetition: Repetition) -> int:
    return sum(evaluation.failure is not None for evaluation in repetition.evaluations)


def _best(space: SearchSpace, goals: Sequence[Objective], repetition: Repetition) -> list[dict[str, Any]]:
    """Return the best distinct networks of a repetition that keep all limits, its recommendation first in any case."""
    latest = _latest(repetition.evaluations)
    recommended = space.canonical(repetition.recommended)
    ranked = sorted(latest, key=lambda pair: (*_rank(pair[1], goals), pair[0]))
    entries: dict[Architecture, dict[str, Any]] = {
        recommended: {
            "architecture": repetition.recommended.key,
            "canonical": recommended.key,
            "scores": {},
            "evaluation": None,
            "recommended": True,
        }
    }
    for index, evaluation in ranked:
        canonical = space.canonical(evaluation.proposal.architecture)
        entry = entries.get(canonical)
        if entry is None:
            if excess(evaluation, goals) > 0:
                continue
            entry = entries[canonical] = {
                "architecture": evaluation.proposal.architecture.key,
                "canonical": canonical.key,
                "recommended": False,
                "evaluation": None,
            }
        if entry["evaluation"] is None:
            entry.update(scores=dict(evaluation.scores), evaluation=index)
    return list(entries.values())[:NUM_BEST]


def _rank(evaluation: Evaluation, goals: Sequence[Objective]) -> tuple[float, ...]:
    """Return a sort key: what was evaluated most thoroughly comes first, among equals the better one."""
    return (-evaluation.proposal.thoroughness, *rank_key(evaluation, goals))


def _latest(evaluations: Sequence[Evaluation]) -> list[tuple[int, Evaluation]]:
    """Return the last scores of every architecture, and the number of the evaluation that first gave it those.

    Shared weights change from round to round: a score of an earlier round says little about what they are now.
    """
    found: dict[Architecture, tuple[int, Evaluation]] = {}
    for index, evaluation in enumerate(evaluations):
        if evaluation.failure is not None:
            continue
        architecture = evaluation.proposal.architecture
        known = found.get(architecture)
        if known is None or known[1].scores != evaluation.scores:
            found[architecture] = (index, evaluation)
    return list(found.values())


def _metrics(
    repetitions: Sequence[Repetition],
    by_seed: dict[int, list[curves.Step]],
    goal: Objective,
    seconds: float,
) -> dict[str, Any]:
    finals = [steps[-1].best for steps in by_seed.values() if steps[-1].best is not None]
    return {
        "objective": goal.name,
        "best": spread(finals) if finals else None,  # None if nothing keeps the limits
        "num_evaluations": sum(len(each.evaluations) for each in repetitions),
        "num_failures": sum(_num_failures(each) for each in repetitions),
        "evaluation_seconds": round(sum(steps[-1].seconds for steps in by_seed.values()), 3),
        "seconds": round(seconds, 3),
    }


if __name__ == "__main__":
    sys.exit(main())
