"""Stage `baselines`: what the candidates are compared with, under the same schedule and seeds.

``python -m tasks.baselines`` writes ``results/baselines``: the space's hand-designed reference network (for the first
seeds' worth of runs, with everything that a candidate has), further hand-designed networks that the space names, random
architectures (one training each, the spread is over architectures), and multinomial logistic regression on the plain
features of the examples (the pixels of images), its penalty chosen on validation.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from nas_core import variation
from nas_core.architecture import Architecture
from nas_core.atomic_files import write_json
from nas_core.randomness import Streams
from nas_core.space import HasBaselines, HasReference, SearchSpace
from nas_core.task import Task
from tasks import assembly, data, logistic_regression, trained
from tasks.console import progress
from tasks.measures import spread
from tasks.record import submit
from tasks.retraining import identity as retrain_identity
from tasks.retraining import logged, seed_run, summary, template
from tasks.settings import Settings
from tasks.stage import Stage, run
from tasks.training import Job, Outcome, jobs_for, train_all

DRAWS_PER_NETWORK = 1000
"""How often a space is sampled for each random network that is wanted, before it counts as too small."""


def main() -> int:
    """Run the stage; return its exit code."""
    return run("baselines", baselines, inputs=[data.SEARCH, data.TEST], identity=identity)


def identity(settings: Settings) -> object:
    """Return the settings that decide the results."""
    return {"retrain": retrain_identity(settings), "baselines": settings.baselines.model_dump(mode="json")}


def baselines(stage: Stage) -> None:
    """Train all baselines and write their folder."""
    started = time.time()
    settings = stage.settings
    space = assembly.space(settings)
    if not isinstance(space, HasReference):
        raise ValueError(f"space {space.name} names no reference network; give its class a method reference()")
    base = template(stage)
    seeds = list(settings.retrain.seeds)
    reference_jobs = jobs_for(base, [space.reference()], seeds)
    named = space.baselines() if isinstance(space, HasBaselines) else {}
    named_jobs = {name: jobs_for(base, [architecture], seeds) for name, architecture in named.items()}
    random_jobs = jobs_for(base, _random(space, settings), [settings.baselines.random_seed])
    # a network may be there twice, and is trained once
    jobs = {job.checkpoint: job for job in chain(reference_jobs, *named_jobs.values(), random_jobs)}
    with progress("baselines: trainings", len(jobs)) as bar:
        outcomes = train_all(list(jobs.values()), settings.compute.workers, lambda outcome: bar.advance())
    outcome_of = dict(zip(jobs, outcomes, strict=True))
    reference_outcomes = [outcome_of[job.checkpoint] for job in reference_jobs]
    task = data.load_task_with_test(stage.root, stage.device)
    finished = trained.measured(reference_jobs, reference_outcomes, task)
    named_metrics = {
        name: trained.measured(each, [outcome_of[job.checkpoint] for job in each], task).metrics
        for name, each in named_jobs.items()
    }
    random = _random_results(random_jobs, [outcome_of[job.checkpoint] for job in random_jobs], task)
    regression = asdict(logistic_regression.on_plain_features(task))
    schedule = {"schedule": dict(settings.retrain.schedule)}

    def fill(draft: Path) -> None:
        (draft / "reference").mkdir()
        trained.fill(draft / "reference", finished, reference_jobs, reference_outcomes, task, schedule)
        write_json(
            draft / "baselines.json",
            {
                "format": 1,
                "reference": finished.metrics,
                "named": named_metrics,
                "random": random,
                "logistic_regression": regression,
            },
        )

    stage.publish("results/baselines", fill)
    metrics = summary(finished.metrics, reference_outcomes, started)
    shown = {
        "reference": metrics,
        **({"named": {name: _shown(each) for name, each in named_metrics.items()}} if named_metrics else {}),
        "random": _shown(random),
        "logistic_regression": regression,
        "training_seconds": round(sum(outcome.seconds for outcome in outcomes), 3),
        "seconds": round(time.time() - started, 3),
    }
    write_json(stage.root / "metrics/baselines.json", shown)
    submit(
        stage,
        started,
        identity=identity(settings),
        metrics={
            **{f"reference_{name}": value for name, value in logged(metrics).items()},
            **{f"{name}_test_accuracy": each["test_accuracy"]["mean"] for name, each in named_metrics.items()},
            "random_test_accuracy": random["test_accuracy"]["mean"],
            "random_test_accuracy_std": random["test_accuracy"]["standard_deviation"],
            "logistic_regression_test_accuracy": regression["test_accuracy"],
        },
        inputs=[data.SEARCH, data.TEST],
        children=[seed_run(stage, started, outcome) for outcome in reference_outcomes],
    )


def _shown(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return means and spreads of the accuracies."""
    return {
        name: {part: metrics[name][part] for part in ("mean", "standard_deviation")}
        for name in ("validation_accuracy", "test_accuracy")
    }


def _random(space: SearchSpace, settings: Settings) -> list[Architecture]:
    """Return distinct random networks (by canonical form), uniform over the space.

    Raises:
        ValueError: the space seems to have fewer of them.
    """
    wanted = settings.baselines.random_architectures
    generator = Streams(settings.baselines.random_seed).child("baselines").numpy("architectures")
    found: dict[Architecture, Architecture] = {}
    for _ in range(DRAWS_PER_NETWORK * wanted):
        if len(found) == wanted:
            break
        architecture = variation.sample(space, generator)
        found.setdefault(space.canonical(architecture), architecture)
    if len(found) < wanted:
        raise ValueError(
            f"baselines.random_architectures is {wanted}; {DRAWS_PER_NETWORK * wanted} random draws from space "
            f"{space.name} gave {len(found)} distinct networks; ask for at most that many"
        )
    return list(found.values())


def _random_results(jobs: Sequence[Job], outcomes: Sequence[Outcome], task: Task) -> dict[str, Any]:
    rows = []
    for job, outcome in zip(jobs, outcomes, strict=True):
        metrics = trained.measured([job], [outcome], task).metrics
        rows.append({name: metrics[name] for name in ("architecture", "official_name", "num_parameters", "flops")})
        for name in ("validation_accuracy", "test_accuracy"):
            rows[-1][name] = metrics[name]["mean"]
    return {
        "architectures": rows,
        **{name: spread([row[name] for row in rows]) for name in ("validation_accuracy", "test_accuracy")},
    }


if __name__ == "__main__":
    sys.exit(main())
